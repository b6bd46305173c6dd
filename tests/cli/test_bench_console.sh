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
counters() { grep -o ' [a-z_]*=' "$scratch/console" | tr -d ' =' | sed 's/^page_faults_\(.*\)/\1_faults/; s/^context_switches_\(.*\)/\1_switches/'; }
check "console: what the kernel counts is there" [ "$(counters | grep -c '_faults$')" -ge 2 ]
check "console: no counter twice" [ -z "$(counters | sort | uniq -d)" ]
check "JSON" bench --benchmark_format=json
check "JSON: each with its reason" [ "$(grep -c '"counter\..*": "unavailable: ' "$scratch/out")" -eq "$missing" ]
check "a file" bench --benchmark_out="$scratch/r.json"
check "a file: each with its reason" [ "$(grep -c '"counter\..*": "unavailable: ' "$scratch/r.json")" -eq "$missing" ]
check "a file: those of the whole repetition, too" eval 'grep -q "\"major_faults\"" "$scratch/r.json" && grep -q "\"page_faults_major\"" "$scratch/r.json"'
exit $failed
