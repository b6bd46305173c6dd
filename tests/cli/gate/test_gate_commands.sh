#!/usr/bin/env bash
# The gate between commands that print Google Benchmark's JSON: a made-up one, and attnbench's own.
# Starts early.
. "$(dirname "$0")/gate.sh"

cat >"$scratch/fake" <<'END'
#!/bin/bash
# $1: how much slower "beta" is, per cent; $2: what becomes of it.
noise=$((RANDOM % 200)) mode=${2:-}
case ${2:-} in
fails) echo "no such machine" >&2; exit 7 ;;
babbles) echo hello; exit 0 ;;
complexity) echo '{"benchmarks": [{"name": "family_BigO", "run_name": "family", "aggregate_name": "BigO", "big_o": "N"}]}'; exit 0 ;;
hangs) echo $$ >"$0.mark"; sleep 60 & wait ;;
dies_later) echo >>"$0.calls"; [ "$(wc -l <"$0.calls")" -lt 4 ] || exit 3 ;;
noisy) noise=$((RANDOM * 3)); sleep 0.3 ;; # of four blocks nothing can be said
esac
entry() { # name, time, unit, more
    local cpu=1
    [ "$mode" != noisy ] || cpu=$((${2%.*} / 2))
    printf '{"name": "%s", "run_name": "%s", "real_time": %s, "cpu_time": %s, "iterations": 9, "time_unit": "%s"%s}%s\n' \
        "$1" "$1" "$2" "$cpu" "$3" "${4:-}" "${5-,}"
}
echo '{"context": {"date": "today"}, "benchmarks": ['
for repetition in 0 1 2; do
    entry alpha "$((100000 + noise + repetition))" ns ', "run_type": "iteration"'
    entry 'beta<x>/8' "$((20000 + noise / 10 + 200 * $1)).5" us ', "run_type": "iteration"'
done
entry gamma "$((1000 + noise / 100))" s ', "run_type": "aggregate", "aggregate_name": "mean"'
entry gamma 3 s ', "run_type": "aggregate", "aggregate_name": "stddev"'
entry family 1 ns ', "run_type": "aggregate", "aggregate_name": "RMS"' | sed 's/"real_time": 1, "cpu_time": 1/"rms": 0.01/'
[ "${2:-}" = less ] || entry delta "$((5000 + noise / 10))" ms
if [ "${2:-}" = error ]; then
    entry epsilon 0 ns ', "error_occurred": true, "error_message": "wrong sum"'
    entry zeta 0 ns ', "skipped": true, "skip_message": "too large"' ""
else
    entry epsilon 70000 ns
    entry zeta 8000 ns "" ""
fi
echo ']}'
END
chmod +x "$scratch/fake"
commands() { # status expected, words of the candidate, words of the base, more arguments
    local expected=$1
    rm -f "$scratch"/fake.*
    "$ATTNBENCH" gate --base-cmd "$scratch/fake 0 ${3:-}" --candidate-cmd "$scratch/fake $2" --budget 60s \
        --json "$scratch/report.json" --junit "$scratch/junit.xml" "${@:4}" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}
check "commands, the same: 0" commands 0 0
check "the same: all six; the complexity of a family is no benchmark" verdict SAME 6
check "the same: in ns, whatever the unit" grep -qE 'beta<x>/8. \| 20(\.0[0-9]+)? ms' "$scratch/out"
check "the same: an aggregate where there is nothing else" says '| `gamma` | 100' out
check "the same: how it was measured" says "commands that print Google Benchmark's JSON" out
check "5% slower: 1" commands 1 5
check "slower: only that" verdict SLOWER 1
check "slower: named in JUnit" says 'name="beta&lt;x&gt;/8"><failure message="SLOWER: +' junit.xml
check "the filter takes some: 0" commands 0 5 "" --filter 'alpha|gamma'
check "the filter: two" verdict SAME 2
check "a benchmark that the candidate lacks: 3" commands 3 "0 less"
check "lacks: named" verdict "MISSING IN CANDIDATE" 1
check "a benchmark that the base lacks: 3" commands 3 0 less
check "base lacks: named" verdict "MISSING IN BASE" 1
check "an error in the candidate: 1" commands 1 "0 error"
check "an error: its message" says "wrong sum" out
check "a benchmark that was skipped: its message" says "too large" out
check "an error: the others are compared" verdict SAME 4
check "too noisy for the budget: 3" commands 3 "0 noisy" noisy --filter alpha --budget 4s
check "noisy: how much of the time it ran, as the program says" says "it did not run for 50% of the time" out
check "a candidate that fails: 1" commands 1 "0 fails"
check "fails: why" says "it ended with status 7: no such machine" out
check "a candidate that fails later: 1" commands 1 "0 dies_later"
check "a base that fails: 2" commands 2 0 fails
check "base fails: why" says "base-cmd: it ended with status 7: no such machine" err
check "a base that prints no JSON: 2" commands 2 0 babbles
check "no JSON: what was expected" says "benchmark_format=json" err
check "a base whose only result is a complexity: 2" commands 2 0 complexity
check "a complexity: why" says "has no benchmark, only the complexity" err
check "a candidate that hangs ends with the budget" commands 1 "0 hangs" "" --budget 2s
nobody() { # a zombie that its new parent has not reaped is nobody
    [ -s "$scratch/fake.mark" ] && ! ps -o state= -p "$(cat "$scratch/fake.mark")" | grep -qv Z
}
check "hangs: nobody is left" nobody

bench="$ATTNBENCH bench --case attention/mha/decode/L:8/h:2/d:8 --benchmark_repetitions=3 --benchmark_min_time=0.001 --benchmark_format=json"
"$ATTNBENCH" gate --base-cmd "$bench" --candidate-cmd "ATTNBENCH_DELAY='mha=400%' $bench" --budget 60s >"$scratch/out" 2>"$scratch/err"
check "a program of Google Benchmark, a delay: 1" [ $? -eq 1 ]
check "a delay: found" says '**SLOWER** | `attention/mha/' out
exit $failed
