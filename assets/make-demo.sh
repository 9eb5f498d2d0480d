#!/bin/sh
# Makes demo.mp4 from the clip in Debian's python3-imageio (see README.md). Run it in this folder.
set -eu
source=${1:-/usr/lib/python3/dist-packages/imageio/resources/images/cockatoo.mp4}

# Sound: two chirps a second, a warbling 3 kHz tone under a falling envelope.
chirp='0.35*exp(-14*mod(t\,0.5))*sin(2*PI*(3000*t+90*sin(2*PI*9*t)))'

# The last 5.5 s. -ss stands after the inputs because this old 4:4:4 stream decodes correctly only
# from its start.
ffmpeg -v error -y -i "$source" -f lavfi -i "aevalsrc='$chirp':s=44100:d=14" -ss 8.5 \
    -map 0:v -map 1:a -map_metadata -1 \
    -vf scale=640:360:flags=lanczos -c:v libx264 -preset veryslow -crf 20 -pix_fmt yuv420p \
    -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv \
    -c:a aac -b:a 64k -movflags +faststart demo.mp4
