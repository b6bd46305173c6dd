#!/usr/bin/env bash
# The command profile-kv: its formats, several models, and real speech where there is some.
set -u
cd "$(dirname "$0")/../.." || exit
attnbench=${ATTNBENCH:-build/attnbench}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    cat "$work/out" "$work/err"
    exit 1
}
run() { # arguments of profile-kv; expects status 0
    "$attnbench" profile-kv "$@" >"$work/out" 2>"$work/err" || fail "status $?: profile-kv $*"
}
value() { # the number of a key that is there once in JSON on stdin
    sed -n "s/^ *\"$1\": \([0-9.e-]*\),*$/\1/p"
}

for type in mha gqa mla mla_simple linear; do
    printf 'model_type: attention\nattention_type: %s\nd_model: 16\nnum_heads: 4\ninput_layer: linear\ninput_dim: 80\n' $type \
        >"$work/$type.yaml"
done

run --config "$work/mha.yaml" --seq-len 30 --format json
[ "$(grep -c '"id"' "$work/out")" -eq 1 ] && [ "$(value kv_bytes_live <"$work/out" | sort -u)" = 3840 ] || fail "one entry, 2 * 30 * 16 * 4 bytes"
[ "$(value peak_memory_bytes <"$work/out")" -gt 1000000 ] || fail "peak memory"
run --config "$work/mha.yaml"
grep -q '^| random-1000 | 1000 |' "$work/out" && grep -q 'random (seed 1)' "$work/out" && grep -q 'KV cache in f32, by formula and as allocated: equal' "$work/out" ||
    fail "1000 random frames are the default, and weights are said to be random"
run --config "$work/mha.yaml" --seq-len 30 --format csv
[ "$(wc -l <"$work/out")" -eq 3 ] && grep -q '^total,30,' "$work/out" || fail "csv: a header, an utterance, the sums"
echo "[       OK ] profile-kv: one model on random features, in each format"

for bytes in f16:1920 bf16:1920 q8_0:8160; do # 2 * 30 frames * 4 heads of 4 numbers: a block of 34 bytes each
    run --config "$work/mha.yaml" --seq-len 30 --chunk 7 --format json --kv-dtype "${bytes%:*}"
    [ "$(value kv_bytes_live <"$work/out" | sort -u)" = "${bytes#*:}" ] &&
        [ "$(value kv_bytes_formula <"$work/out" | sort -u)" = "${bytes#*:}" ] || fail "bytes of a cache in ${bytes%:*}"
done
run --config "$work/mha.yaml" --config "$work/mla.yaml" --seq-len 30 --kv-dtype q8_0
[ "$(grep -c '| q8_0 |' "$work/out")" -eq 2 ] || fail "the table says the cache's type"
echo "[       OK ] profile-kv: types of cache"

run --config "$work/mha.yaml" --seq-len 30 --sgemm
grep -q '^This machine.s sgemm.*n = 1024.*GFLOP/s; the model reaches [0-9.]*% of it' "$work/out" || fail "no sgemm rate"
run --config "$work/mha.yaml" --seq-len 30 --sgemm --format json
[ "$(value flops_per_second <"$work/out" | cut -d. -f1)" -gt 100000000 ] || fail "sgemm in JSON"
run --config "$work/mha.yaml" --seq-len 30 --format json
grep -q '"sgemm": null' "$work/out" || fail "sgemm that nobody asked for"
echo "[       OK ] profile-kv: next to the machine's sgemm"

run --config "$work/mha.yaml" --config "$work/mla.yaml" --seq-len 30 --threads 2 --format json
[ "$(grep -c '"models"' "$work/out")" -eq 1 ] && [ "$(grep -c '"config"' "$work/out")" -eq 2 ] || fail "two models under \"models\""
[ "$(grep -c '"threads": 2' "$work/out")" -eq 2 ] || fail "the threads of each model"
run --config "$work/mha.yaml" --config "$work/mla.yaml" --seq-len 30
[ "$(grep -c '^| .*yaml ' "$work/out")" -eq 2 ] || fail "a row a model"
echo "[       OK ] profile-kv: two models"

# Two others on the same CPU take about two thirds of it.
cpu=$(taskset -cp $$ | sed 's/.*[:, -]//')
others=()
for _ in 1 2; do
    taskset -c "$cpu" timeout 60 sh -c 'while :; do :; done' &
    others+=($!)
done
taskset -c "$cpu" "$attnbench" profile-kv --config "$work/mha.yaml" --seq-len 4000 --format json >"$work/out" 2>"$work/err"
status=$?
kill "${others[@]}"
wait "${others[@]}" 2>/dev/null
[ $status -eq 0 ] || fail "status $status next to others"
[ "$(value timed_runs <"$work/out")" = 1 ] && [ "$(value disturbed <"$work/out" | sort -u)" = 1 ] || fail "a run next to others is not marked"
[ "$(value lost_percent <"$work/out" | tail -n 1 | cut -d. -f1)" -gt 10 ] || fail "nothing was lost to others"
echo "[       OK ] profile-kv: a run that shared its CPU is marked, with what it lost"

"$attnbench" profile-kv --config "$work/mha.yaml" --seq-len 30 >/dev/full 2>"$work/err"
[ $? -eq 2 ] && grep -q 'cannot be written' "$work/err" || fail "a full disk behind stdout"
echo "[       OK ] profile-kv: output that cannot be written"

if [ ! -d "${ATTNBENCH_SPEECH:-}/test" ]; then
    echo "[  SKIPPED ] profile-kv on real speech: ATTNBENCH_SPEECH is not a corpus with a split \"test\""
    exit 0
fi
for type in mha gqa mla mla_simple linear; do
    run --config "$work/$type.yaml" --data "$ATTNBENCH_SPEECH" --split test --chunk 16 --format json
    grep -q '"formula_equals_live": true' "$work/out" || fail "formula and live differ"
    [ "$(value kv_bytes_formula <"$work/out" | tail -n 1)" = "$(value kv_bytes_live <"$work/out" | tail -n 1)" ] || fail "sums differ"
done
echo "[       OK ] profile-kv: formula equals live on real speech for all five types"
