#!/usr/bin/env bash
# initramfs.sh ROOT OUT PROGRAM FILE...: packs busybox, init, the program (as /bin/NAME) with the shared libraries it
# needs from ROOT, and the files (as /NAME) into OUT.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$1 out=$2 program=$3
shift 3
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$out.new"' EXIT
folders=("$root"/usr/lib/aarch64-linux-gnu/openblas-pthread "$root"/usr/lib/aarch64-linux-gnu "$root"/usr/lib)

copy_library() { # soname: and what it needs in turn
    [ ! -e "$tree/lib/$1" ] || return 0
    local folder
    for folder in "${folders[@]}"; do
        [ -e "$folder/$1" ] || continue
        cp -L "$folder/$1" "$tree/lib/$1"
        copy_needs "$tree/lib/$1"
        return
    done
    echo "$1: not among the arm64 packages" >&2
    return 1
}

copy_needs() { # file
    local soname
    while read -r soname; do
        copy_library "$soname"
    done < <(aarch64-linux-gnu-objdump -p "$1" | awk '$1 == "NEEDED" { print $2 }')
}

mkdir -p "$tree"/{bin,lib,etc,proc,sys,dev,tmp}
cp "$root"/bin/busybox "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"
cp "$here/init" "$tree/init"
aarch64-linux-gnu-strip -o "$tree/bin/$(basename "$program")" "$program"
cp -r "$@" "$tree/"
(cd "$here/../.." && cp --parents harness/counters/groups/*.yaml "$tree/")
copy_library ld-linux-aarch64.so.1
copy_library libgcc_s.so.1 # opened by pthread_exit
copy_needs "$program"
(cd "$tree" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc -R 0:0 --reproducible) >"$out.new"
mv "$out.new" "$out"
