#!/usr/bin/env bash
# The commands convert and analyze on the golden encoders: exact at full rank, budgets, folding back, curves, formats.
set -u
cd "$(dirname "$0")/../.." || exit
: "${ATTNBENCH:=$PWD/build/attnbench}"
export ATTNBENCH_HOME=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    tail -n 50 "$work/out" "$work/err"
    exit 1
}
run() { # arguments; expects status 0
    "$ATTNBENCH" "$@" >"$work/out" 2>"$work/err" || fail "status $?: $*"
}
convert() { # golden case, then options
    local case=$1
    shift
    run convert --config "$golden/$case/config.yaml" --weights "$golden/$case/weights.safetensors" \
        --out-config "$work/new.yaml" --out-weights "$work/new.safetensors" "$@"
}
analyze() { # golden case, then options: a row for each layer, then the output
    local case=$1
    shift
    run analyze --mha "$golden/$case/config.yaml" --mha-weights "$golden/$case/weights.safetensors" --mla "$work/new.yaml" \
        --input "$golden/$case/input.npy" --format csv "$@"
}
field() { # the column of that name in the last line of the csv on stdout of the last run
    awk -F, -v name="$1" '{ sub("\r$", "") } NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } { last = $c } END { print last }' \
        <(sed 's/"[^"]*"/quoted/g' "$work/out")
}
is() { awk "BEGIN { exit !($1) }"; }

golden=tests/golden/encoder
for case in conformer-conv2d conformer-rel_pos branchformer-conv2d branchformer-names-espnet conformer-causal-2layers; do
    width=$(awk '$1 == "d_model:" { print $2 }' $golden/$case/config.yaml)
    for method in joint activation average; do
        for type in mla mla_simple; do
            convert $case --to $type --latent-dim "$width" --method $method --calibration $golden/$case/input.npy
            analyze $case --runs 0
            error=$(field relative_error)
            if [ $method = average ]; then
                is "$error > 1e-3" || fail "$case: average is off by $error only"
            else
                is "$error >= 0 && $error <= 1e-5" || fail "$case: $method is off by $error"
            fi
        done
    done
done
echo "[       OK ] convert: joint and activation are exact at latent_dim = d_model, average is not"

case=conformer-conv2d-streaming
width=$(awk '$1 == "d_model:" { print $2 }' $golden/$case/config.yaml)
convert $case --to mla --latent-dim $((width / 2))
run forward --config "$work/new.yaml" --weights "$work/new.safetensors" --input $golden/$case/input.npy --output "$work/y.npy" --chunk 2
run profile-kv --config "$work/new.yaml" --weights "$work/new.safetensors" --seq-len 103 --format json
[ "$(grep -oE '"kv_bytes_(live|formula)": [0-9]+' "$work/out" | sed 's/.*: //' | sort -u | wc -l)" -eq 1 ] || fail "cache bytes differ from the formula"
echo "[       OK ] convert: what comes out streams, its cache as large as the formula"

case=conformer-causal-2layers
convert $case --to mla_simple --budget-bytes 40000 --seq-len 1000 --format json
grep -q '"ranks": "uniform"' "$work/out" && grep -q '"ranks": "spread"' "$work/out" || fail "no comparison with the same for all"
grep -q 'latent_dim: ' "$work/new.yaml" || fail "no latent_dim in the configuration"
run forward --config "$work/new.yaml" --weights "$work/new.safetensors" --input $golden/$case/input.npy --output "$work/y.npy"
convert $case --to mla_simple --target-error 0.3 --method activation --calibration $golden/$case/input.npy
for format in md csv json tex; do
    convert $case --to mla_simple --target-error 0.3 --format $format
    [ -s "$work/out" ] || fail "nothing in $format"
done
echo "[       OK ] convert: ranks by budget and by error"

for way in mean activation; do
    convert $case --to gqa --num-kv-heads 2 --method $way --calibration $golden/$case/input.npy
    analyze $case --runs 0
    is "$(field relative_error) < 1" || fail "gqa $way"
done
run analyze --mla "$work/new.yaml" --fold --out-config "$work/back.yaml" --out-weights "$work/back.safetensors"
grep -q 'attention_type: mha' "$work/back.yaml" || fail "not folded to mha"
run analyze --mha "$work/back.yaml" --mla "$work/new.yaml" --input $golden/$case/input.npy --runs 0 --format csv
is "$(field relative_error) <= 1e-5" || fail "folded it computes something else: $(field relative_error)"
echo "[       OK ] convert and analyze --fold: gqa, and back to mha"

convert $case --to mla --latent-dim 4
analyze $case --runs 2 --seq-len 20
is "$(field decode_us) > 0 && $(field decode_us_mha) > 0" || fail "no decode time"
is "$(field decode_cpu_us) > 0 && $(field decode_cpu_us_mha) > 0 && $(field decode_lost_percent) >= 0 &&
    $(field decode_disturbed) <= 2 * 2 && $(field decode_disturbed_mha) >= 0" || fail "no CPU time"
[ "$(field cache_bytes)" -eq $((2 * 4 * 20 * 4)) ] || fail "cache bytes: $(field cache_bytes)"
run analyze --mha $golden/$case/config.yaml --mha-weights $golden/$case/weights.safetensors --mla "$work/new.yaml" --runs 0 --spectrum \
    --format json
grep -q '"spectrum"' "$work/out" || fail "no spectrum"
echo "[       OK ] analyze: times, bytes and spectrum"

cp "$work/new.yaml" "$work/other.yaml"
cp "$work/new.safetensors" "$work/other.safetensors"
convert $case --to mla_simple --latent-dim 4
run analyze --mha $golden/$case/config.yaml --mha-weights $golden/$case/weights.safetensors --mla "$work/new.yaml" --mla "$work/other.yaml" \
    --runs 0 --format csv
[ "$(grep -c yaml "$work/out")" -eq 3 ] || fail "a row for mha and for each of the others"
[ "$(cut -d, -f2 "$work/out" | tr '\n' ' ')" = "attention_type mha mla_simple $(awk '$1 == "attention_type:" { print $2 }' "$work/other.yaml") " ] || fail "types"
run profile-kv --config $golden/$case/config.yaml --weights $golden/$case/weights.safetensors --config "$work/new.yaml" \
    --weights "$work/new.safetensors" --seq-len 30 --format csv
[ "$(grep -c 'safetensors' "$work/out")" -eq 2 ] || fail "each model with its own weights"
echo "[       OK ] analyze and profile-kv: a trained model and what it became in one table"

run analyze --mha $golden/$case/config.yaml --mha-weights $golden/$case/weights.safetensors --input $golden/$case/input.npy --sweep \
    --plots "$work/plots" --format json
cp "$work/out" "$work/curves.json"
for name in average split joint activation "gqa mean" "gqa activation"; do
    grep -q "\"method\": \"$name\"" "$work/curves.json" || fail "no points of $name"
done
if command -v gnuplot >/dev/null; then
    for ending in dat gp svg png pdf; do
        [ -s "$work/plots/tradeoff_1.$ending" ] || fail "no plot: $ending"
    done
    [ "$(find "$work/plots" -type f | wc -l)" -eq 5 ] || fail "more files than those"
    run report tests/data/results_sample.json --out "$work/report" --tradeoff "$work/curves.json"
    grep -q 'id=tradeoff' "$work/report/index.html" && grep -q 'id=plot-tradeoff_1' "$work/report/index.html" &&
        grep -q 'float32 rounding: exact' "$work/report/index.html" || fail "the page does not show the curves"
    [ -s "$work/report/tables/tradeoff_1.csv" ] && [ -s "$work/report/plots/tradeoff_1.png" ] || fail "no files next to the page"
fi
echo "[       OK ] analyze --sweep: every method, plots, and the part of the page"
