#!/bin/sh
# Debian packages for another architecture, cross-built in a bare Debian 12, and lintian on them. As root; needs
# debootstrap. Usage: cross-deb.sh [ARCH] [FOLDER]
# ARCH is arm64 unless given; results lie in FOLDER (dist/deb). MIRROR is where Debian comes from. CHROOT names a
# folder that keeps the chroot for the next time; without it, it is made anew (about 2 GB) and removed.
set -eu
cd "$(dirname "$0")/.."
arch=${1:-arm64}
out=${2:-dist/deb}
mirror=${MIRROR:-http://deb.debian.org/debian}
[ "$(id -u)" = 0 ] || { echo "run this as root: it makes a chroot" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "missing: debootstrap" >&2; exit 1; }
log=$(mktemp)
root=${CHROOT-}
[ -n "$root" ] || root=$(mktemp -d)
finish() {
    status=$?
    umount "$root/proc" 2>/dev/null || true
    [ -n "${CHROOT-}" ] || rm -rf --one-file-system "$root"
    rm -f "$log"
    exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
quietly() {
    "$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
}

chmod 755 "$root"
[ -e "$root/etc/debian_version" ] || quietly debootstrap --variant=minbase bookworm "$root" "$mirror"
mount -t proc proc "$root/proc"
rm -rf "$root/build"
mkdir "$root/build"
tools/export-source.sh "$root/build/dain"
cat >"$root/build/run.sh" <<'END'
set -eu
arch=$1
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 DEB_BUILD_OPTIONS=nocheck DEB_BUILD_PROFILES="cross nocheck"
cd /build/dain
dpkg --add-architecture "$arch"
apt-get update -qq
apt-get install -y -qq --no-install-recommends build-essential "crossbuild-essential-$arch" lintian
apt-get build-dep -y -qq --no-install-recommends --host-architecture "$arch" ./
# Only what depends on the architecture: dain-models is the same everywhere.
dpkg-buildpackage -us -uc -B --host-arch "$arch"
END
quietly chroot "$root" /bin/sh /build/run.sh "$arch"
mkdir -p "$out"
rm -f "$out"/*"_$arch".*
cp "$root"/build/*"_$arch".* "$out"
(cd "$out" && sha256sum ./*"_$arch.deb")
chroot "$root" sh -c "cd /build && lintian --allow-root --info --display-info --fail-on error,warning *_$arch.changes"
echo "lintian has no errors and no warnings"
