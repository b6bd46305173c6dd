#!/usr/bin/env bash
# Where there is no /dev/null, that is what a message names.
. "$(dirname "$0")/../support/check.sh"

hide='mount -t tmpfs none /dev'
if ! unshare -rm bash -c "$hide" 2>/dev/null; then
    echo "[  SKIPPED ] no /dev/null: this system does not allow mounting over /dev"
    exit 0
fi
printf 'cases: [attention/mha/decode/L:8/h:1/d:4/impl:scalar]\n' >"$scratch/plan.yaml"
unshare -rm bash -c "$hide && exec \"$ATTNBENCH\" sweep --plan \"$scratch/plan.yaml\" --out \"$scratch/r.json\" --counters off" \
    >"$scratch/out" 2>"$scratch/err"
check "a sweep without /dev/null fails" [ $? -ne 0 ]
check "and names /dev/null" grep -q "/dev/null: cannot be opened: No such file or directory" "$scratch/err"
check "and not the program" [ "$(grep -c 'cannot be run' "$scratch/err")" -eq 0 ]
exit $failed
