#!/usr/bin/env bash
# On the console, reasons of counters that are missing take one line; where programs read, each has its own.
. "$(dirname "$0")/../support/check.sh"

bench() {
    "$ATTNBENCH" bench --case attention/mha/decode/L:8/h:1/d:4/impl:scalar --benchmark_repetitions=1 --benchmark_min_time=0.001 "$@" \
        >"$scratch/out" 2>"$scratch/err"
}
check "on the console" bench
cat "$scratch/out" "$scratch/err" >"$scratch/console"
check "console: one line for all that is missing" [ "$(grep -c '^counters unavailable: [0-9]* (attnbench counters list says why)$' "$scratch/console")" -eq 1 ]
check "console: no reasons" [ "$(grep -c '^counter\..*: unavailable' "$scratch/console")" -eq 0 ]
missing=$(sed -n 's/^counters unavailable: \([0-9]*\) .*/\1/p' "$scratch/console")
check "JSON" bench --benchmark_format=json
check "JSON: each with its reason" [ "$(grep -c '"counter\..*": "unavailable: ' "$scratch/out")" -eq "$missing" ]
check "a file" bench --benchmark_out="$scratch/r.json"
check "a file: each with its reason" [ "$(grep -c '"counter\..*": "unavailable: ' "$scratch/r.json")" -eq "$missing" ]
exit $failed
