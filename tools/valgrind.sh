#!/bin/sh
# Unit tests, corpus and one small run of the tool under valgrind. Usage: valgrind.sh FOLDER
set -eu
cd "$(dirname "$0")/.."
folder=$1
check="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite"
meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 20 --wrap "$check" \
    --suite unit --suite fuzz
[ -e "$folder/dain" ] || { echo "the tool is not built: no run of it"; exit 0; }
pictures=$(mktemp -d)
trap 'rm -rf "$pictures"' EXIT
ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=2:duration=1 "$pictures/%d.png"
$check "$folder/dain" -0 "$pictures/1.png" -1 "$pictures/2.png" -o "$pictures/middle.png"
echo "the tool is clean under valgrind on two pictures of 64x48"
