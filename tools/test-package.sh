#!/bin/sh
# Installs the packages into a bare Debian 12 and makes the demo clip's new frames there. As root; needs debootstrap,
# and ffprobe (Debian: ffmpeg) outside to look at the result. Usage: test-package.sh [FOLDER]
# FOLDER has the packages (dist/deb, as tools/deb.sh leaves them). ARCH=arm64 takes those of that architecture
# and runs them under qemu-user, half a second of the clip. MIRROR is where Debian comes from; KEEP=1 keeps the
# chroot and says where it is.
set -eu
cd "$(dirname "$0")/.."
packages=${1:-dist/deb}
native=$(dpkg --print-architecture)
arch=${ARCH:-$native}
mirror=${MIRROR:-http://deb.debian.org/debian}
[ "$(id -u)" = 0 ] || { echo "run this as root: it makes a chroot" >&2; exit 1; }
for command in debootstrap ffprobe; do
    command -v $command >/dev/null || { echo "missing: $command" >&2; exit 1; }
done
for package in dain_*_"$arch" libdain0_*_"$arch" libdain-dev_*_"$arch" dain-models_*_all; do
    ls "$packages"/$package.deb >/dev/null || { echo "make deb first" >&2; exit 1; }
done

root=$(mktemp -d)
chmod 755 "$root"
finish() {
    status=$?
    umount "$root/proc" 2>/dev/null || true
    if [ -n "${KEEP-}" ]; then
        echo "the chroot is $root"
    else
        rm -rf --one-file-system "$root"
    fi
    exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; exit 1; }
rm "$root.log"
mount -t proc proc "$root/proc"
mkdir "$root/dain"
cp "$packages"/dain_*_"$arch".deb "$packages"/libdain*[0v]_*_"$arch".deb "$packages"/dain-models_*_all.deb \
    assets/demo.mp4 "$root/dain"
cat >"$root/dain/run.sh" <<'END'
set -eu
arch=$1 native=$2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
cd /dain
run=
[ "$arch" = "$native" ] || dpkg --add-architecture "$arch"
apt-get update -qq
[ "$arch" = "$native" ] || { apt-get install -y -qq --no-install-recommends qemu-user >apt.log 2>&1; run=qemu-aarch64; }
apt-get install -y -qq --no-install-recommends ./*.deb >apt.log 2>&1 || { tail -n 20 apt.log >&2; exit 1; }
dpkg-query -W -f '${Package} ${Version} ${Architecture}: ${Status}\n' 'dain*' 'libdain*' | grep -v not-installed
dpkg --verify dain dain-models "libdain0:$arch" "libdain-dev:$arch"
[ "$arch" = "$native" ] || set -- --end 0.5
[ "$arch" != "$native" ] || set --
$run /usr/bin/dain --version
$run /usr/bin/dain info | grep -A 1 '^models'
$run /usr/bin/dain -q demo.mp4 out.mkv --factor 2 "$@"
apt-get purge -y -qq dain dain-models "libdain0:$arch" "libdain-dev:$arch" >apt.log 2>&1 || { cat apt.log >&2; exit 1; }
left=$(find /usr -name '*dain*' -not -path '*/doc/*')
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
END
chroot "$root" /bin/sh /dain/run.sh "$arch" "$native"

frames() {
    ffprobe -v error -select_streams v:0 -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$1"
}
before=$(frames assets/demo.mp4)
after=$(frames "$root/dain/out.mkv")
echo "$before frames in the clip, $after in the result"
if [ "$arch" = "$native" ]; then
    [ "$after" = $((2 * before)) ] || { echo "$((2 * before)) were expected" >&2; exit 1; }
    streams=$(ffprobe -v error -show_entries stream=codec_type -of csv=p=0 "$root/dain/out.mkv" | sort | tr '\n' ' ')
    [ "$streams" = "audio video " ] || { echo "streams: $streams" >&2; exit 1; }
else
    [ "$after" = 20 ] || { echo "20 were expected (half a second of 20 frames a second, twice)" >&2; exit 1; }
fi
echo "the packages work in a bare Debian 12 ($arch)"
