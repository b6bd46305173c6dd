#!/usr/bin/env bash
# Peers that are installed give the reference's output for layers and a stream. Skips those that are not.
# Runs once: the program only compares, what computes is the same in all builds.
# shellcheck source=tests/support/check.sh
. "$(dirname "$0")/../support/check.sh"
cases=(attention/gqa/chunk/L:12/q:3/h:4/d:16/hkv:2/pos:rel_pos attention/mla/decode/L:9/h:2/d:16/dc:8/B:2
       encoder/conformer/mha/chunk/q:2/left:2/layers:1/h:2/d:16)
for peer in onnxruntime torch; do
    words=()
    for case in "${cases[@]}"; do words+=(--case "$case/impl:$peer"); done
    "$ATTNBENCH" bench --counters off --benchmark_min_time=0.001 --benchmark_repetitions=1 "${words[@]}" \
        >"$scratch/out" 2>"$scratch/err"
    status=$?
    if [ $status = 3 ]; then
        echo "[  SKIPPED ] $peer: $(tail -n 1 "$scratch/err")"
    else
        check "$peer gives the reference's output" [ $status = 0 ]
    fi
done
exit $failed
