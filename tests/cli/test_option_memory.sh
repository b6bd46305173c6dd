#!/usr/bin/env bash
# Memory that is refused while options are read: a message, and no crash.
. "$(dirname "$0")/../support/check.sh"

if nm "$ATTNBENCH" 2>/dev/null | grep -q __asan_init || ! cc -D_GNU_SOURCE -shared -fPIC -o "$scratch/refuse.so" tests/refuse_memory.c 2>/dev/null; then
    echo "[  SKIPPED ] refused memory: a sanitizer owns malloc, or there is no compiler"
    exit 0
fi
refuse() { # COMMAND NTH: how it ends
    REFUSE=$2 LD_PRELOAD=$scratch/refuse.so "$ATTNBENCH" $1 --no-such-option >"$scratch/out" 2>"$scratch/err"
    echo $?
}
for command in features forward compare bench; do
    crashed=
    for nth in 1 2 3 4 5 6 7 8; do
        [ "$(refuse $command $nth)" -lt 128 ] || crashed="$crashed $nth"
    done
    check "$command: the first allocations may fail${crashed:+, but for}$crashed" [ -z "$crashed" ]
done

# An option whose word could not be copied is not taken for one that was not given.
"$ATTNBENCH" paper --format csv >"$scratch/csv" 2>"$scratch/err"
other='' refused=0
for nth in 1 2 3 4 5 6 7 8 9 10; do
    REFUSE=$nth LD_PRELOAD=$scratch/refuse.so "$ATTNBENCH" paper --format csv >"$scratch/out" 2>"$scratch/err"
    status=$?
    if [ $status -eq 0 ]; then
        cmp -s "$scratch/out" "$scratch/csv" || other="$other $nth"
    else
        refused=$((refused + 1))
        [ $status -le 2 ] || other="$other $nth"
    fi
done
check "paper --format csv: the CSV or no memory${other:+, but for}$other" [ -z "$other" ]
check "it had no memory for some ($refused)" [ $refused -gt 0 ]
exit $failed
