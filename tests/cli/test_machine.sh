#!/usr/bin/env bash
# attnbench machine: its tables in all formats, results that are kept, bad input. Starts early.
. "$(dirname "$0")/../support/check.sh"

machine() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" machine "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

few='clock/isa:base|flops/isa:base|/(write|latency)/bytes:(4096|8192|16384)(/pages:small|/isa.*)?$|tlb/bytes:65536/pages:small'

md() {
    machine 0 --filter "$few" --out "$scratch/m.json" &&
        grep -q '^| base | *[0-9.]* | *[0-9.]* | — | *[0-9.]* |$' "$scratch/out" &&
        grep -q '^| L1 | 4 KiB | ' "$scratch/out" &&
        grep -qE '^\| 16 KiB \| — \| *[0-9.]+ \| — \| — \| — \| — \| — \| *[0-9.]+ \| — \|' "$scratch/out" &&
        ! grep -q 'another core' "$scratch/out"
}
check "tables" md

json() { # of the results that are there
    machine 0 --filter "$few" --out "$scratch/m.json" --format json &&
        grep -q 'complete already; nothing was run' "$scratch/err" &&
        /usr/bin/python3 - "$scratch/out" <<'END'
import json, sys
found = json.load(open(sys.argv[1]))
base, = found['arithmetic']
assert base['isa'] == 'base' and base['ghz'] > 0 and base['gflops'] > 0
assert abs(base['vector_multiply_adds_per_clock'] * base['ghz'] * 8 / base['gflops'] - 1) < 1e-3
assert found['aggregate'] == 'best' and found['least_runs'] == found['most_runs'] == 15
sets = {row['bytes']: row for row in found['working_sets']}
assert list(sets) == [4096, 8192, 16384, 65536]
assert all(sets[n]['write'] > 0 and sets[n]['latency_small_ns'] > 0 and sets[n]['read'] is None for n in (4096, 8192, 16384))
assert sets[65536]['tlb_small_ns'] > 0 and sets[65536]['write'] is None
assert found['levels'][0]['from_bytes'] == 4096 and found['handoff'] == []
END
}
check "json of the same" json

csv() {
    machine 0 --filter "$few" --out "$scratch/m.json" --format csv &&
        [ "$(head -n 1 "$scratch/out" | tr -d '\r')" = table,of,what,value ] &&
        grep -qE '^arithmetic,base,ghz,[0-9.]+' "$scratch/out" && grep -qE '^working_sets,8 KiB,write,[0-9.]+' "$scratch/out"
}
check "csv of the same" csv

report() {
    "$ATTNBENCH" report "$scratch/m.json" --out "$scratch/report" >"$scratch/out" 2>"$scratch/err" &&
        grep -q '"machine/clock/isa:base"' "$scratch"/report/tables/machine.json
}
check "report takes the results" report

bad() { # words expected on stderr, arguments
    local words=$1
    shift
    machine 2 "$@" && grep -q "^attnbench machine: $words" "$scratch/err" && [ ! -s "$scratch/out" ]
}
check "unknown format" bad '--format' --format tex
check "filter that finds nothing" bad '--filter xyz: finds none' --filter xyz
check "missing folder" bad "$scratch/no/m.json" --filter clock/isa:base --out "$scratch/no/m.json"
check "another plan's results" bad "$scratch/m.json" --filter clock/isa:base --out "$scratch/m.json"
check "a CPU that is not there" bad '--cpu' --cpu 100000

exit $failed
