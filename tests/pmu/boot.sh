#!/usr/bin/env bash
# boot.sh CPU KERNEL INITRAMFS OUT: boots an emulated machine with that CPU and unpacks what it hands over into the
# folder OUT. Its clock is the number of instructions executed and nothing in it is random, so that two boots do the
# same. Environment: LIMIT, seconds that a boot may take (default 240).
set -euo pipefail
cpu=$1 kernel=$2 initramfs=$3 out=$4
limit=${LIMIT:-240}
rm -rf "$out"
mkdir -p "$out"

failed() {
    echo "boot with -cpu $cpu: $*" >&2
    tail -n 20 "$out/qemu" "$out/console" >&2
    exit 1
}

timeout --kill-after=5 "$limit" qemu-system-aarch64 -M virt,dtb-randomness=off -cpu "$cpu" -m 512 \
    -icount shift=1,sleep=off -rtc base=2026-01-01,clock=vm -nodefaults -nographic -serial stdio -no-reboot \
    -kernel "$kernel" -initrd "$initramfs" -append "console=ttyAMA0 quiet panic=-1 nokaslr" \
    </dev/null >"$out/console" 2>"$out/qemu" &
trap 'kill %1 2>/dev/null || true' EXIT
trap 'exit 143' TERM INT
status=0
wait $! || status=$?
[ "$status" -ne 124 ] || failed "not done after $limit s"
[ "$status" -eq 0 ] || failed "qemu-system-aarch64 stopped with status $status"

sum=$(sed -n 's/^@@begin \([0-9a-f]*\).*/\1/p' "$out/console")
sed -n '/^@@begin/,/^@@end/{/^@@/d;p}' "$out/console" | base64 -d -i >"$out/out.tar.gz" || failed "no results"
[ "$(sha256sum <"$out/out.tar.gz" | cut -d' ' -f1)" = "$sum" ] || failed "no results, or they were damaged on the way"
tar -xzf "$out/out.tar.gz" -C "$out"
