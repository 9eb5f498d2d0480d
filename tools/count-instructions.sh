#!/bin/sh
# Instructions of the 3x3 convolutions on AArch64 for each multiply-add, against the least possible (one fmla
# for 4, one dot product for 16, products summed in pairs: two instructions for 8). qemu writes a line for each
# instruction; the lines of a call with 2 rows less those with 1 are those of one row. All is counted:
# loops, addresses, bias, activation, stores. LIMIT=1.35 makes the script fail above it.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh --aarch64
folder=build-aarch64
[ -e $folder/build.ninja ] ||
    meson setup $folder --cross-file tools/cross/aarch64-linux-gnu.ini -Dtool=disabled
ninja -C $folder -j "${JOBS:-$(nproc)}" tests/checkasm/count >&2
width=60

lines() { # lines LEVEL KIND CHANNELS ROWS
    DAIN_CPU=$1 qemu-aarch64 -cpu max -singlestep -d exec,nochain -D /dev/stdout \
        $folder/tests/checkasm/count "$2" "$3" $width "$4" | grep -c '^Trace'
}

status=0
echo "kernel   channels  instructions/row  least  ratio"
while read -r level kind lanes; do
    for channels in ${CHANNELS:-16 32 64}; do
        one=$(lines "$level" "$kind" "$channels" 1)
        two=$(lines "$level" "$kind" "$channels" 2)
        awk -v n=$((two - one)) -v c="$channels" -v w=$width -v lanes="$lanes" -v name="$kind-$level" \
            -v limit="${LIMIT:-0}" 'BEGIN {
            least = 9 * c * c * w / lanes
            printf "%-12s %4d %12d %10d  %.2f\n", name, c, n, least, n / least
            exit limit > 0 && n / least > limit }' || status=1
    done
done <<TABLE
neon f32 4
neon u8 4
dotprod u8 16
i8mm u8 16
TABLE
exit $status
