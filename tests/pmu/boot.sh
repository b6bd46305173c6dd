#!/usr/bin/env bash
# boot.sh CPU KERNEL INITRAMFS OUT: boots an emulated machine with that CPU and unpacks what it hands over into the
# folder OUT. Its clock is the number of instructions executed and nothing in it is random, so that two boots do the
# same. How much it may do is limited by its own clock (init) and by CPU time, neither of which a busy host changes.
# Environment: WORK, seconds of CPU time that a boot may take (default 200); PATIENCE, seconds that it may take as they
# pass (default 1800): the last resort. Exit status 1: failed; 3: the host was too busy to see the end.
set -euo pipefail
cpu=$1 kernel=$2 initramfs=$3 out=$4
work=${WORK:-200} patience=${PATIENCE:-1800}
rm -rf "$out"
mkdir -p "$out"

failed() {
    echo "boot with -cpu $cpu: $*" >&2
    tail -n 20 "$out/qemu" "$out/console" >&2
    exit 1
}

# Once over the limit, SIGXCPU; two seconds later SIGKILL.
(ulimit -Ht $((work + 2)) -St "$work" && exec timeout --kill-after=5 "$patience" qemu-system-aarch64 -M virt,dtb-randomness=off -cpu "$cpu" -m 512 \
    -icount shift=1,sleep=off -rtc base=2026-01-01,clock=vm -nodefaults -nographic -serial stdio -no-reboot \
    -kernel "$kernel" -initrd "$initramfs" -append "console=ttyAMA0 quiet panic=-1 nokaslr" \
    </dev/null >"$out/console" 2>"$out/qemu") &
trap 'kill %1 2>/dev/null || true' EXIT
trap 'exit 143' TERM INT
status=0
wait $! || status=$?
if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
    echo "the host is too busy: -cpu $cpu was not done after $patience s, and had less than $work s of the CPU" >&2
    exit 3
fi
[ "$status" -ne 152 ] || failed "not done after $work s of CPU time"
[ "$status" -eq 0 ] || failed "qemu-system-aarch64 stopped with status $status"

sum=$(sed -n 's/^@@begin \([0-9a-f]*\).*/\1/p' "$out/console")
sed -n '/^@@begin/,/^@@end/{/^@@/d;p}' "$out/console" | base64 -d -i >"$out/out.tar.gz" || failed "no results"
[ "$(sha256sum <"$out/out.tar.gz" | cut -d' ' -f1)" = "$sum" ] || failed "no results, or they were damaged on the way"
tar -xzf "$out/out.tar.gz" -C "$out"
