#!/usr/bin/env bash
# fetch.sh DIR: what of Slurm this machine lacks, unpacked below DIR/root. Nothing is installed.
# Exit status 3: it can't be had (the last line on stderr says why) and none is here from before.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/private_apt.sh"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
wanted=(slurmctld slurmd slurm-client munge)

unavailable() {
    echo "Slurm: $*" >&2
    exit 3
}

[ ! -e "$dir/whole" ] || exit 0
for tool in apt-get dpkg dpkg-query; do
    command -v "$tool" >/dev/null || unavailable "no $tool on this machine"
done
work=$dir/new
rm -rf "$work" "$dir/root"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
private_apt "$work" "$(dpkg --print-architecture)" /var/lib/dpkg/status
quietly "$work/log" apt-get -q update || true
quietly "$work/log" apt-get -q -y --download-only install "${wanted[@]}" ||
    unavailable "apt can't fetch it (no network, or no Debian among this machine's apt sources)"
shopt -s nullglob
unpack_packages "$work/root" "$work"/apt/archives/*.deb
mv "$work/root" "$dir/root"
touch "$dir/whole"
