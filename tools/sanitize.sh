#!/bin/sh
# All tests under sanitizers in a build folder of their own. Usage: sanitize.sh FOLDER SANITIZERS
set -eu
cd "$(dirname "$0")/.."
folder=$1
sanitizers=$2
[ -e "$folder/build.ninja" ] ||
    meson setup "$folder" -Db_sanitize="$sanitizers" -Dbuildtype=debugoptimized
ninja -C "$folder" -j "$(nproc)"
# Without these the undefined-behaviour sanitizer prints and goes on, and the test passes.
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# Not detect_stack_use_after_return: gcc 12 then misaligns local arrays of 64-byte vectors.
export ASAN_OPTIONS=detect_stack_use_after_return=0:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
# FFmpeg, x264 and zimg are not built with the thread sanitizer: what it sees of them are false alarms. A
# second Ctrl-C ends at once and does not wait for threads.
export TSAN_OPTIONS=halt_on_error=1:ignore_noninstrumented_modules=1:report_thread_leaks=0:allocator_may_return_null=1:suppressions=$PWD/tests/tsan.supp
export DAIN_TEST_PATIENCE=10
exec meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 10
