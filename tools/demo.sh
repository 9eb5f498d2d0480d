#!/bin/sh
# The demo clip at twice its rate, with the counts before and after. Usage: demo.sh TOOL
set -eu
cd "$(dirname "$0")/.."
tool=$1
before=assets/demo.mp4
after=demo/demo-2x.mp4

count() { # count FILE: frames of picture, their rate, seconds
    ffprobe -v error -select_streams v:0 -count_frames -of default=noprint_wrappers=1:nokey=1 \
        -show_entries stream=nb_read_frames,r_frame_rate,duration "$1" | tr '\n' ' '
}
sound() { # sound FILE: a fingerprint of the packets
    ffmpeg -v error -i "$1" -map 0:a -c copy -f md5 -
}
show() {
    # ffprobe's order: r_frame_rate duration nb_read_frames
    set -- "$1" $(count "$1")
    printf '%-20s %4s frames, %s a second, %s s\n' "$1" "$4" "$2" "$3"
}

mkdir -p demo
rm -f "$after"
"$tool" "$before" "$after"
echo
show "$before"
show "$after"
if [ "$(sound "$before")" = "$(sound "$after")" ]; then
    echo "The sound is the same, packet by packet."
else
    echo "The sound has changed." >&2
    exit 1
fi
echo "Watch it: $PWD/$after"
