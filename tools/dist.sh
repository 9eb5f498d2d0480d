#!/bin/sh
# The source of the last commit as dist/dain-VERSION.tar.gz, the same bytes each time; then, unless --only is given,
# whether it builds and passes tests by itself, in a folder without git. Usage: dist.sh [--only] [FOLDER]
set -eu
cd "$(dirname "$0")/.."
check=1
if [ "${1-}" = --only ]; then
    check=
    shift
fi
out=${1:-dist}
git rev-parse --git-dir >/dev/null 2>&1 || { echo "the tarball is made from a git checkout" >&2; exit 1; }
git diff --quiet HEAD || echo "note: what is not committed is not in the tarball" >&2
version=$(sed -n "s/^ *version: '\([0-9.]*\)',$/\1/p" meson.build | head -n 1)
name=dain-$version
mkdir -p "$out"
# Owners, order and times come from the commit, the modes from this setting, no name or time from gzip.
git -c tar.umask=0022 archive --format=tar --prefix="$name/" HEAD | gzip -9n >"$out/$name.tar.gz.part"
mv "$out/$name.tar.gz.part" "$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz")
[ -n "$check" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xzf "$out/$name.tar.gz" -C "$work"
mkdir "$work/no-git" # a git that is not there
printf '#!/bin/sh\nexit 127\n' >"$work/no-git/git"
chmod +x "$work/no-git/git"
PATH=$work/no-git:$PATH
cd "$work/$name"
meson setup build >"$work/log" 2>&1 && ninja -C build -j "${JOBS:-$(nproc)}" >>"$work/log" 2>&1 ||
    { tail -n 30 "$work/log" >&2; exit 1; }
meson test -C build --no-rebuild --print-errorlogs --suite unit --suite house
meson test -C build --no-rebuild --print-errorlogs 'golden edge operators' \
    'options, help, manual, completions' 'two pictures in, one out'
echo "$name.tar.gz builds and passes by itself"
