#!/usr/bin/env bash
# Does a bare Debian 12 do? Makes one with debootstrap in a temporary folder, clones this repository's last commit into
# it, runs ./run_all.sh there, says how long it took, and cleans up. Needs root, debootstrap and a Debian mirror (taken
# from this machine's apt sources).
#
#   tests/bare_debian.sh [run|test|study|package] [RESULTS]
#       run (default): ./run_all.sh; test, study: ./run_all.sh test, ./run_all.sh study
#       package: builds, checks, installs and tries the Debian package
#       RESULTS: folder that gets a copy of out/ (must not exist)
set -euo pipefail
cd "$(dirname "$0")/.." || exit

stop() {
    echo "bare_debian.sh: $*" >&2
    exit 2
}
what=${1:-run} results=${2:-}
case $what in
run) command="./run_all.sh" ;;
test | study) command="./run_all.sh $what" ;;
package) command="tests/debian_package.sh" ;;
*) stop "$what: expected run, test, study or package" ;;
esac
[ "$(id -u)" -eq 0 ] || stop "needs root (debootstrap and chroot do)"
for tool in debootstrap unshare git; do
    command -v $tool >/dev/null || stop "$tool is not installed"
done
[ -z "$results" ] || [ ! -e "$results" ] || stop "$results: exists already"
[ -z "$(git status --porcelain)" ] || echo "bare_debian.sh: uncommitted changes are not tried" >&2

# The first address that apt has for bookworm, in either format of its sources.
mirror() {
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
        sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\)  *bookworm .*/\2/p'
    awk -v RS= '/(^|\n)Types:[^\n]*deb( |\n)/ && /(^|\n)Suites:[^\n]* bookworm( |\n)/ {
            for (i = 1; i < NF; i++) if ($i == "URIs:") print $(i + 1)
        }' /etc/apt/sources.list.d/*.sources 2>/dev/null
}
source=$(mirror | head -n 1)
[ -n "$source" ] || stop "no Debian bookworm among this machine's apt sources"

root=$(mktemp -d "${TMPDIR:-/tmp}/attnbench-bare.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
echo "bare_debian.sh: debootstrap of bookworm (minbase) into $root"
debootstrap --variant=minbase bookworm "$root" "$source" >"$root.log" 2>&1 || {
    tail -n 5 "$root.log" >&2
    stop "debootstrap failed: see $root.log"
}
rm -f "$root.log"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump | grep -iE '^Acquire::(http|https)::Proxy' >"$root/etc/apt/apt.conf.d/99proxy" || true
git clone --quiet --no-hardlinks . "$root/root/attnbench"

# A mount namespace of its own: even after a crash, no mount outlives the run.
status=0
started=$SECONDS
TIMEFORMAT='bare_debian.sh: %U s of CPU in programs, %S s in the kernel'
time env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
    unshare --mount --propagation private bash -c '
        set -e
        mount -t proc proc "$1/proc"
        mount -t sysfs -o ro sysfs "$1/sys"
        mount --rbind /dev "$1/dev"
        exec chroot "$1" bash -c "cd /root/attnbench && $2"
    ' bare "$root" "$command" </dev/null || status=$?
echo "bare_debian.sh: $command took $((SECONDS - started)) s with package installation; exit status $status"
if [ -n "$results" ] && [ -d "$root/root/attnbench/out" ]; then
    cp -r "$root/root/attnbench/out" "$results"
fi
exit $status
