#!/bin/sh
# Builds everything with gcc and with clang, each in its own folder; a warning is an error.
set -eu
cd "$(dirname "$0")/.."
for compiler in gcc clang; do
    folder=build-$compiler
    [ -e "$folder/build.ninja" ] || CC=$compiler meson setup "$folder" --werror -Dwarning_level=2
    ninja -k 0 -C "$folder" -j "$(nproc)"
    echo "no warnings from $($compiler --version | head -n 1)"
done
