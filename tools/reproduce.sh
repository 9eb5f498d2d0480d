#!/bin/sh
# Builds twice, in folders of other names and depths, at other times, with another locale, time zone, user name, home, umask
# and number of jobs, and compares what comes out: the tool, the shared and the static library, their manual and completions, and (where
# dpkg-buildpackage is installed, or never with --no-deb) the Debian packages. Prints the hashes of both.
# Usage: reproduce.sh [--no-deb]
set -eu
cd "$(dirname "$0")/.."
deb=1
[ "${1-}" != --no-deb ] || deb=
command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null || deb=
jobs=${JOBS:-$(nproc)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools/export-source.sh "$work/source"

in_folder() { # in_folder FOLDER JOBS: builds there, hashes into FOLDER.hashes
    mkdir -p "$1"
    cp -R "$work/source" "$1/dain"
    (
        cd "$1/dain"
        meson setup build -Dtests=false -Dtool=enabled -Ddefault_library=both >"$1/log" 2>&1 &&
            ninja -C build -j "$2" >>"$1/log" 2>&1 || { tail -n 20 "$1/log" >&2; exit 1; }
        cd build
        sha256sum dain libdain.so libdain.a dain.1 dain.bash _dain dain.fish >"$1.hashes"
        [ -n "$deb" ] || exit 0
        cd ..
        rm -rf build
        DEB_BUILD_OPTIONS="nocheck parallel=$2" dpkg-buildpackage -us -uc -b >"$1/log" 2>&1 ||
            { tail -n 20 "$1/log" >&2; exit 1; }
        cd ..
        sha256sum ./*.deb >>"$1.hashes"
    )
    rm -rf "$1"
}

(umask 022 && in_folder "$work/one" "$jobs")
in_other_place() {
    umask 002
    export LC_ALL=C.UTF-8 LANG=C.UTF-8 TZ=Pacific/Kiritimati USER=somebody LOGNAME=somebody HOME="$work"
    in_folder "$work/another/rather/deeper" 1
}
(in_other_place)
diff "$work/one.hashes" "$work/another/rather/deeper.hashes" && same=1 || same=
echo "one folder:"
cat "$work/one.hashes"
echo "another:"
cat "$work/another/rather/deeper.hashes"
[ -n "$same" ] || { echo "the builds differ" >&2; exit 1; }
echo "the same bytes in both"
