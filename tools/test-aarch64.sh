#!/bin/sh
# Builds the library and its tests for AArch64 and runs them under qemu: kernels, golden data, bits,
# units (of which base_mem is left out: it starts itself, for which qemu-user would have to be registered
# with the kernel). QEMU_CPU (cortex-a53, neoverse-n1, max, ...) picks the processor that is emulated.
set -eu
cd "$(dirname "$0")/.."
tools/install-deps.sh --aarch64
folder=build-aarch64
[ -e $folder/build.ninja ] ||
    meson setup $folder --cross-file tools/cross/aarch64-linux-gnu.ini -Dtool=disabled
programs="tests/checkasm/checkasm tests/golden/golden_edge_ops tests/golden/golden_edge_bits
    tests/unit/test_base_cpu tests/unit/test_base_log
    tests/unit/test_weights_json tests/unit/test_weights_safetensors tests/unit/test_weights_types
    tests/unit/test_weights_hostile"
# shellcheck disable=SC2086 # words are targets
ninja -C $folder -j "${JOBS:-$(nproc)}" $programs
# armv8-a, dot products, the same on a server, everything (mixed dot products, bfloat16)
for cpu in ${QEMU_CPU:-cortex-a53 cortex-a76 neoverse-n1 max}; do
    echo "# emulated processor: $cpu"
    QEMU_CPU=$cpu meson test -C $folder --no-rebuild --print-errorlogs --timeout-multiplier 10 \
        'every kernel gives the bits of the C reference' 'golden edge operators' \
        'golden edge network, bits of every machine' \
        'golden edge network, bits of every machine in 8 bits' \
        'golden edge-small network, bits of every machine' \
        'golden edge-small network, bits of every machine in 8 bits' 'base, CPU features' 'base, messages' \
        'weights, JSON' 'weights, safetensors' 'weights, data types of weights' \
        'weights, safetensors from strangers'
done
