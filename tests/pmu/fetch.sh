#!/usr/bin/env bash
# fetch.sh DIR: arm64 packages into DIR/debs, unpacked below DIR/root, the kernel as DIR/kernel. Nothing is
# installed: apt works on a state of its own, with this machine's sources, keys and proxies.
# Exit status 3: they can't be had (the last line on stderr says why) and none are here from before.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/private_apt.sh"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
mapfile -t wanted < <(awk '$1 == "run" && $2 ~ /-dev$/ { print $2 }' "$here/../../packages.txt")
wanted+=(busybox-static libc6-dev)
# The cloud flavour is the same kernel with fewer drivers: a third of the download.
kernel=linux-image-cloud-arm64

unavailable() {
    echo "arm64 packages: $*" >&2
    exit 3
}

have() { # what was asked for, unharmed
    [ "$(cat "$dir/wanted" 2>/dev/null)" = "${wanted[*]} $kernel" ] && [ -e "$dir/kernel" ] && [ -d "$dir/root" ] &&
        (cd "$dir/debs" && sha256sum --quiet --status -c ../SHA256SUMS)
}

fetch() {
    # A third party's source that has no arm64 is no obstacle, so that the status of update says little.
    quietly "$work/log" apt-get -q update || true
    quietly "$work/log" apt-get -q -y --download-only install "${wanted[@]}" ||
        unavailable "apt can't fetch them (no network, or no Debian among this machine's apt sources)"
    local image
    image=$(apt-cache depends --no-recommends --no-suggests "$kernel" 2>/dev/null | awk '/Depends:/ { print $2; exit }')
    [ -n "$image" ] || unavailable "no $kernel among this machine's apt sources"
    (cd "$work/apt/archives" && quietly "$work/log" apt-get -q download "$image") || unavailable "apt can't fetch $image"
}

unpack() {
    local debs=() deb
    for deb in "$work"/debs/*.deb; do
        case ${deb##*/} in
        linux-image-*) dpkg --fsys-tarfile "$deb" | tar -xO --wildcards './boot/vmlinuz-*' >"$work/kernel" ;;
        *) debs+=("$deb") ;;
        esac
    done
    unpack_packages "$work/root" "${debs[@]}"
    [ -s "$work/kernel" ] || unavailable "no kernel in the package"
}

if have; then
    exit 0
fi
for tool in apt-get apt-cache dpkg; do
    command -v "$tool" >/dev/null || unavailable "no $tool on this machine"
done
work=$dir/new
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
: >"$work/status"
private_apt "$work" arm64 "$work/status"
fetch
mkdir "$work/debs"
mv "$work"/apt/archives/*.deb "$work/debs"
unpack
(cd "$work/debs" && sha256sum -- *.deb) >"$work/SHA256SUMS"
rm -rf "$dir"/{debs,root,kernel,SHA256SUMS,wanted}
mv "$work"/{debs,root,kernel,SHA256SUMS} "$dir"
echo "${wanted[*]} $kernel" >"$dir/wanted"
echo "arm64 packages: $(wc -l <"$dir/SHA256SUMS") fetched, $(du -sm "$dir/debs" | cut -f1) MB"
