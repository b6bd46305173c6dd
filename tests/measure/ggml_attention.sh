#!/usr/bin/env bash
# Our fused attention next to ggml's, which is no peer of `sweep --peers` because nothing installs it: for f32, f16 and q8_0 caches, 8
# heads of 64, one thread. Both run alternating on one CPU; the best microseconds of CPU of all rounds stand for each, and the ratio
# is ours / ggml's. Exit status: 1 where ggml is faster by more than 2%, or either side gave no time.
#
#   tests/measure/ggml_attention.sh GGML [BUILD]    GGML: a checkout of ggml; BUILD: its build folder (GGML/build), with shared
#                                                   libraries: cmake -B build -DBUILD_SHARED_LIBS=ON -DCMAKE_BUILD_TYPE=Release
#   ROUNDS=3   LENGTHS="1000 4000 16000"   TYPES="f32 f16 q8_0"   CASES="mha/decode gqa/decode mha/chunk"
set -u
cd "$(dirname "$0")/../.." || exit 2
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n '2,8s/^# \{0,1\}//p' tests/measure/ggml_attention.sh >&2; exit 2; }
: "${ATTNBENCH:=build/attnbench}" "${ROUNDS:=3}" "${LENGTHS:=1000 4000 16000}" "${TYPES:=f32 f16 q8_0}"
: "${CASES:=mha/decode gqa/decode mha/chunk}"
ggml=$1 build=${2:-$1/build}
[ -f "$ggml/include/ggml-cpu.h" ] || { echo "$ggml: no checkout of ggml" >&2; exit 2; }
library=$(find "$build" -name 'libggml-cpu.so*' -print -quit 2>/dev/null)
[ -n "$library" ] || { echo "$build: no libggml-cpu.so in it" >&2; exit 2; }
[ -x "$ATTNBENCH" ] || { echo "$ATTNBENCH: no such program; make builds it" >&2; exit 2; }
[ "$ROUNDS" -ge 1 ] 2>/dev/null || { echo "ROUNDS=$ROUNDS: expected 1 at least" >&2; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
libraries=$(dirname "$(realpath "$library")")
"${CC:-cc}" -std=c17 -O2 -D_GNU_SOURCE -I"$ggml/include" tests/measure/ggml_attention.c -o "$scratch/peer" -L"$libraries" -lggml-cpu \
    -lggml-base -lm -Wl,-rpath,"$libraries" || exit 2
cpu=$(taskset -cp $$ | sed 's/.*[:,-] *//')

ours() { # CASE: the best microseconds of CPU
    taskset -c "$cpu" "$ATTNBENCH" bench --case "$1" --benchmark_min_time=0.1 --benchmark_repetitions=6 --benchmark_format=csv 2>/dev/null |
        awk -F, '!/_(mean|median|stddev|cv)"?,/ && /^"?attention/ { if (!best || $4 < best) best = $4 } END { print best / 1000 }'
}

echo "| case | cache | ours, us | ggml, us | ratio |"
echo "|---|---|---|---|---|"
slower=0
for case in $CASES; do
    for length in $LENGTHS; do
        for type in $TYPES; do
            heads=8 shape=
            [ "${case%/*}" != gqa ] || heads=2 shape=/hkv:2
            queries=1
            [ "${case#*/}" != chunk ] || queries=16
            for _ in $(seq "$ROUNDS"); do
                echo "ours $(ours "attention/$case/L:$length/q:$queries/h:8/d:512$shape/kv:$type/part:core")"
                echo "ggml $(taskset -c "$cpu" "$scratch/peer" "$type" "$length" "$queries" 8 "$heads" 1)"
            done | awk -v case="$case/L:$length" -v type="$type" '
                $2 > 0 && (!($1 in best) || $2 < best[$1]) { best[$1] = $2 }
                END { ratio = best["ours"] > 0 && best["ggml"] > 0 ? best["ours"] / best["ggml"] : 99
                      printf "| %s | %s | %.1f | %.1f | %.2f |\n", case, type, best["ours"], best["ggml"], ratio
                      exit ratio > 1.02 }' || slower=1
        done
    done
done
exit $slower
