#!/usr/bin/env bash
# What threads buy: one and THREADS threads alternating in fresh processes, the best time of a repetition by the wall clock of all
# rounds for each. For an idle host with that many cores: what else runs there lengthens the side that needs more of them. Exit
# status: 1 where a case gains less than LEAST.
#
#   tests/measure/two_threads.sh
#   ROUNDS=5   THREADS=2   LEAST=1.8   CASES="attention/mha/decode/L:4000/part:core ..."
set -u
cd "$(dirname "$0")/../.." || exit 2
encoder=layers:12/h:4/d:256/input:conv2d/pos:rel_pos
: "${ATTNBENCH:=${BUILD:-build}/attnbench}" "${ROUNDS:=5}" "${THREADS:=2}" "${LEAST:=1.8}"
: "${CASES:=attention/mha/decode/L:4000/part:core attention/mha/decode/L:16000/part:core attention/gqa/decode/L:4000/hkv:2/part:core
    attention/gqa/decode/L:16000/hkv:2/part:core attention/mla/decode/L:4000/dc:256/part:core
    attention/mla/decode/L:16000/dc:256/part:core attention/mha/chunk/L:4000/part:core attention/mha/prefill/L:4000/part:core
    attention/mha/prefill/L:4000 attention/mla/prefill/L:4000/dc:256 encoder/conformer/mha/chunk/q:16/left:8/$encoder
    encoder/conformer/mha/prefill/T:3000/$encoder}"
[ $# -eq 0 ] || { echo "$0 takes no arguments, but ROUNDS, THREADS, LEAST and CASES" >&2; exit 2; }
[ "$ROUNDS" -ge 1 ] 2>/dev/null && [ "$THREADS" -ge 2 ] 2>/dev/null ||
    { echo "ROUNDS=$ROUNDS THREADS=$THREADS: expected at least one round, and two threads" >&2; exit 2; }
[ -x "$ATTNBENCH" ] || { echo "$ATTNBENCH: no such program; make builds it" >&2; exit 2; }

best() { # CASE: the best milliseconds
    "$ATTNBENCH" bench --case "$1" --benchmark_min_time=0.2 --benchmark_repetitions=5 --benchmark_format=csv 2>/dev/null |
        awk -F, '!/_(mean|median|stddev|cv)"?,/ && /^"?(attention|encoder)/ { if (!b || $3 < b) b = $3 } END { print b / 1e6 }'
}

echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
echo "| case | 1 thread, ms | $THREADS threads, ms | times |"
echo "|---|---|---|---|"
few=0
for case in $CASES; do
    for _ in $(seq "$ROUNDS"); do
        echo "1 $(best "$case")"
        echo "$THREADS $(best "$case/t:$THREADS")"
    done | awk -v case="$case" -v threads="$THREADS" -v least="$LEAST" '
        $2 > 0 && (!($1 in b) || $2 < b[$1]) { b[$1] = $2 }
        END { gain = b[threads] > 0 ? b[1] / b[threads] : 0
              printf "| %s | %.4g | %.4g | %.2f |\n", case, b[1], b[threads], gain
              exit gain < least }' || few=1
done
echo "load: $(cut -d' ' -f1-3 /proc/loadavg)"
exit $few
