#!/usr/bin/env bash
# The Debian source package, in a clean Debian of its own (tests/bare_debian.sh package): builds it and its packages,
# asks lintian, which must find no error, installs them, and runs the tutorials of docs/ with what was installed.
set -euo pipefail
cd "$(dirname "$0")/.." || exit
[ "$(id -u)" -eq 0 ] || { echo "debian_package.sh: installs packages, as root, in a Debian that is there for that" >&2 && exit 2; }
export DEBIAN_FRONTEND=noninteractive
here=$PWD work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt reads there as another user
install() { apt-get -qq install --no-install-recommends "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2 && exit 1; }; }

apt-get -qq update
install dpkg-dev lintian git
version=$(dpkg-parsechangelog -S Version | sed 's/-[^-]*$//')
git archive --format=tar.gz --prefix="attnbench-$version/" HEAD >"$work/attnbench_$version.orig.tar.gz"
tar -C "$work" -xzf "$work/attnbench_$version.orig.tar.gz"
cd "$work/attnbench-$version"
apt-get -qq build-dep --no-install-recommends ./ >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2 && exit 1; }
dpkg-buildpackage -us -uc >"$work/log" 2>&1 || { tail -n 40 "$work/log" >&2 && exit 1; }
ls -l "$work"/*.dsc "$work"/*.deb
echo "lintian:"
lintian --allow-root --fail-on error "$work"/*.changes
echo "lintian finds no error"

apt-get -qq install "$work"/attnbench_*.deb "$work"/libattn-dev_*.deb >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2 && exit 1; } # with gnuplot, which it recommends
attnbench --version
if [ -e "$here/tests/docs/test_tutorials.sh" ]; then
    ATTNBENCH=/usr/bin/attnbench "$here/tests/docs/test_tutorials.sh"
fi
