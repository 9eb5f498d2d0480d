#!/bin/sh
# Installs what building and testing need and this machine lacks, by apt (with sudo where not root).
# --dev adds what the developers' targets need, --aarch64 the cross compiler and the emulator,
# --deb what builds and checks Debian packages, --chroot what makes a bare Debian.
# --dry-run only says what is missing.
set -eu

missing=
need() { # need PACKAGE COMMAND...: the package, if the command fails
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has() {
    command -v "$1"
}

need gcc has cc
need libc6-dev test -e /usr/include/stdlib.h
need meson has meson
need ninja-build has ninja
need pkg-config has pkg-config
need binutils has nm
need ffmpeg has ffprobe
need python3 has python3
for library in libavcodec libavfilter libavformat libavutil libswresample; do
    need "$library-dev" pkg-config --exists "$library"
done
need libzimg-dev pkg-config --exists zimg

dry_run=
for option; do
    case $option in
    --dry-run) dry_run=1 ;;
    --dev)
        need clang has clang
        need clang-format has clang-format
        need valgrind has valgrind
        need zsh has zsh
        need fish has fish
        # libFuzzer and the sanitizers of the default clang
        runtime=libclang-rt-$(clang -dumpversion 2>/dev/null | cut -d. -f1)-dev
        [ "$runtime" != libclang-rt--dev ] || runtime=libclang-rt-14-dev
        need "$runtime" sh -c 'ls "$(clang -print-resource-dir)"/lib/linux/libclang_rt.fuzzer*.a'
        ;;
    --aarch64)
        need gcc-aarch64-linux-gnu has aarch64-linux-gnu-gcc
        need libc6-dev-arm64-cross test -e /usr/aarch64-linux-gnu/include/stdlib.h
        need qemu-user has qemu-aarch64
        ;;
    --deb)
        need dpkg-dev has dpkg-buildpackage
        need debhelper has dh
        need lintian has lintian
        need build-essential dpkg-query -W build-essential
        ;;
    --chroot)
        need debootstrap has debootstrap
        ;;
    *)
        echo "usage: $0 [--dev] [--aarch64] [--deb] [--chroot] [--dry-run]" >&2
        exit 2
        ;;
    esac
done

[ -n "$missing" ] || exit 0
if [ -n "$dry_run" ]; then
    echo "missing:$missing"
    exit 0
fi
if ! has apt-get >/dev/null; then
    echo "install these first (Debian's package names):$missing" >&2
    exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    has sudo >/dev/null || { echo "not root and no sudo; install:$missing" >&2; exit 1; }
    sudo=sudo
fi
echo "installing:$missing"
# shellcheck disable=SC2086 # words are packages
install() {
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}
# The lists may be old or absent: one update, only then.
install || { $sudo apt-get update -q && install; }
