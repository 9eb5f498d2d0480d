#!/bin/sh
# Runs every fuzz target with sanitizers and adds what it found new, minimised, to the kept corpus.
# Usage: fuzz.sh SECONDS [TARGET...]
set -eu
cd "$(dirname "$0")/.."
seconds=$1
shift
folder=build-fuzz
[ -e "$folder/build.ninja" ] ||
    CC=clang meson setup "$folder" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
        -Dbuildtype=debugoptimized
ninja -C "$folder" -j "$(nproc)"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
[ $# -gt 0 ] || set -- $(cd tests/fuzz/corpus && ls)
for target; do
    kept=tests/fuzz/corpus/$target
    words=tests/fuzz/$target.dict
    work=$folder/corpus-$target
    small=$folder/small-$target
    mkdir -p "$work"
    cp "$kept"/* "$work"/
    "$folder/tests/fuzz/fuzz_$target" "$work" $([ -e "$words" ] && echo "-dict=$words") \
        -max_len=4096 -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$folder/"
    rm -rf "$small" && mkdir "$small"
    "$folder/tests/fuzz/fuzz_$target" -set_cover_merge=1 "$small" "$kept" "$work"
    echo "$target: $(ls "$small" | wc -l) files, $(cat "$small"/* | wc -c) bytes after merging, in $small;" \
        "copy to $kept what is worth keeping"
done
