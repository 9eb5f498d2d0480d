#!/bin/sh
# Debian packages of the working tree, for this machine's architecture, then lintian on them. Results lie in FOLDER
# (dist/deb). Usage: deb.sh [FOLDER]
# DEB_BUILD_OPTIONS=nocheck leaves out the tests.
set -eu
cd "$(dirname "$0")/.."
out=${1:-dist/deb}
for command in dpkg-buildpackage dh; do
    command -v $command >/dev/null || { echo "missing: $command (Debian: build-essential debhelper)" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools/export-source.sh "$work/dain"
(cd "$work/dain" && dpkg-buildpackage -us -uc -b >"$work/log" 2>&1) || { tail -n 40 "$work/log" >&2; exit 1; }
mkdir -p "$out"
rm -f "$out"/*"_$(dpkg --print-architecture)".* "$out"/*_all.deb
mv "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"
(cd "$out" && sha256sum ./*.deb)
if command -v lintian >/dev/null; then
    lintian --allow-root --info --display-info --fail-on error,warning "$out"/*"_$(dpkg --print-architecture).changes"
    echo "lintian has no errors and no warnings"
fi
