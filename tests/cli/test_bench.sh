#!/usr/bin/env bash
# attnbench bench from the outside: Google Benchmark's flags and formats, names, exit statuses, bad input.
set -u
bench="${ATTNBENCH:?the executable to test} bench"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export -n BENCHMARK_OUT BENCHMARK_FORMAT BENCHMARK_FILTER BENCHMARK_REPETITIONS BENCHMARK_MIN_TIME
quick="--benchmark_min_time=0.0001 --benchmark_repetitions=1"
small=L:20/h:2/d:16

ok() {
    echo "[       OK ] $1"
}
fail() {
    echo "FAILED: $1"
    head -n 5 "$folder/out" "$folder/err"
    exit 1
}
# status, then arguments
run() {
    local expected=$1
    shift
    $bench "$@" >"$folder/out" 2>"$folder/err" </dev/null
    local status=$?
    [ $status -eq "$expected" ] || fail "bench $*: status $status, expected $expected"
}
# text, then arguments: status 2, nothing on standard output, one line with the text on standard error
refused() {
    local text=$1
    shift
    run 2 "$@"
    [ -s "$folder/out" ] && fail "bench $*: output in spite of bad input"
    [ "$(wc -l <"$folder/err")" -eq 1 ] || fail "bench $*: expected one line"
    grep -qF -- "$text" "$folder/err" || fail "bench $*: does not say \"$text\""
}

cat >"$folder/cases" <<END
# two cases, and one of them again
attention/mla/decode/$small/path:absorb   # absorbed
  attention/mha/prefill/$small

attention/mha/prefill/$small/q:20
END
mla=attention/mla/decode/L:20/q:1/h:2/d:16/dc:16/kv:f32/path:absorb/impl:fused
mha=attention/mha/prefill/L:20/q:20/h:2/d:16/kv:f32/impl:fused

run 0 --cases "$folder/cases" --benchmark_list_tests
[ "$(cat "$folder/out")" = "$mla"$'\n'"$mha" ] || fail "list of cases"
ok list_tests

$bench --cases - --benchmark_list_tests <"$folder/cases" >"$folder/piped" || fail "cases from standard input"
cmp -s "$folder/out" "$folder/piped" || fail "cases from standard input"
run 0 --case attention/gqa/decode/$small --case machine/sgemm --benchmark_list_tests=true
[ "$(wc -l <"$folder/out")" -eq 2 ] || fail "--case twice"
ok sources_of_cases

run 0 --cases "$folder/cases" $quick --benchmark_filter=mla
grep -q "^$mla " "$folder/out" || fail "filter keeps"
grep -q "$mha" "$folder/out" && fail "filter drops"
run 0 --cases "$folder/cases" $quick --benchmark_filter=-mla
grep -q "$mha" "$folder/out" || fail "negative filter"
ok filter

run 0 --cases "$folder/cases" $quick --benchmark_format=json --seed 7 --benchmark_context=plan=mine
for word in '"name": "'"$mla"'"' '"flops":' '"bytes":' '"kv_bytes_formula":' '"kv_bytes_live":' \
    '"check_max_error":' '"check_limit":' '"check_rows":' '"path_run":' '"major_faults":' '"minor_faults":' \
    '"involuntary_switches":' '"voluntary_switches":' '"seed": "7"' '"plan": "mine"' '"blas_core":'; do
    grep -qF "$word" "$folder/out" || fail "json has no $word"
done
grep -qiE '\b-?(nan|inf)' "$folder/out" && fail "not a number in json"
ok json

run 0 --cases "$folder/cases" $quick --benchmark_format=csv
grep -q '^name,iterations,real_time' "$folder/out" || fail "csv"
run 0 --case "$mha" --case "$mla" $quick --benchmark_format=csv
grep -q '^name,.*path_run' "$folder/out" || fail "csv: columns of a later case"
[ "$(grep '^name,\|^"attention/' "$folder/out" | tr -cd ',\n' | sort | uniq -c | awk '{print $1}')" = 3 ] ||
    fail "csv: rows of unlike length"
ok csv

for many in t:1000 t:2/impl:blas; do
    run 3 --case "attention/mha/decode/$small/$many" $quick
    grep -q 'mha/decode.*: t: ' "$folder/err" || fail "$many says why it is not supported"
done
ok threads that there are not

run 0 --case attention/mha/decode/$small $quick --benchmark_repetitions=3 --benchmark_report_aggregates_only=true
[ "$(grep -c '^attention.*_\(mean\|median\|stddev\|cv\) ' "$folder/out")" -eq 4 ] || fail "aggregates"
grep -q '/impl:fused ' "$folder/out" && fail "aggregates only"
run 0 --cases "$folder/cases" $quick --benchmark_repetitions=3 --benchmark_enable_random_interleaving=true
[ "$(grep -c '/impl:fused ' "$folder/out")" -eq 6 ] || fail "interleaved repetitions"
BENCHMARK_REPETITIONS=2 $bench --case machine/flops/isa:base --benchmark_min_time=0.0001 >"$folder/out" 2>"$folder/err"
[ "$(grep -c 'isa:base ' "$folder/out")" -eq 2 ] || fail "repetitions from the environment"
ok repetitions

run 0 --cases "$folder/cases" $quick --benchmark_out="$folder/r.json"
grep -q "$mla" "$folder/r.json" || fail "--benchmark_out"
run 0 --cases "$folder/cases" $quick --benchmark_out="$folder/r.csv" --benchmark_out_format=csv
grep -q '^name,' "$folder/r.csv" || fail "--benchmark_out_format"
refused "cannot be written" --cases "$folder/cases" --benchmark_out="$folder/no/r.json"
refused "regex: nothing" --cases "$folder/cases" --benchmark_filter=nothing --benchmark_out="$folder/n.json"
run 2 --case machine/flops $quick --benchmark_out=/dev/full
grep -q "/dev/full: the results cannot be written" "$folder/err" || fail "full disk"
run 0 --cases "$folder/cases" --benchmark_list_tests --benchmark_out="$folder/n.json"
[ "$(ls "$folder" | tr '\n' ' ')" = "cases err out piped r.csv r.json " ] || fail "files left: $(ls "$folder")"
ok out

refused 'row "attention/mha/decode/L:5/dc:7": dc: not a key of attention/mha' --case attention/mha/decode/L:5/dc:7
printf 'machine/flops\n\nattention/nosuch/decode/L:5\n' >"$folder/bad"
refused "$folder/bad:3: row \"attention/nosuch/decode/L:5\": \"nosuch\": not a type" --cases "$folder/bad"
printf 'machine/flops machine/read\n' >"$folder/bad"
refused "$folder/bad:1: expected one row without spaces" --cases "$folder/bad"
printf '# nothing\n' >"$folder/bad"
refused "no case to run" --cases "$folder/bad"
refused "No such file" --cases "$folder/absent"
refused "cannot be read" --cases "$folder"
refused "Mismatched" --cases "$folder/cases" --benchmark_filter='('
refused "expected to be a 32-bit integer" --benchmark_repetitions=many
refused "expected at least 1" --benchmark_repetitions=0
refused "expected to be a double" --benchmark_min_time=0.1s
refused "has a value that Google Benchmark does not take" --benchmark_format=xml
refused "--benchmark_speed=1: not a flag" --benchmark_speed=1
refused "--speed: unknown option" --speed
refused "extra: unexpected argument" extra
refused "expected 0 or more" --seed=-1
refused "invalid numeric value" --seed=one
ok bad_input

run 2 --case attention/mha/decode/L:16000000/B:4096/d:8192 $quick
grep -q "MiB of memory needed, " "$folder/err" || fail "too large a case"
grep -q "flops=" "$folder/out" && fail "a number from a case that cannot run"
ok too_large

hash_of() { sed -n 's/^ *"output_hash": \([0-9.e+]*\),*$/\1/p' "$folder/out" | xargs printf '%.0f'; }
row=attention/mla/decode/$small
run 0 --case $row $quick --benchmark_format=json --checked-output 0
hash=$(hash_of)
[ "$hash" -gt 0 ] && grep -q '"check_rows"' "$folder/out" || fail "an output without a hash, or unchecked"
run 0 --case $row $quick --benchmark_format=json --checked-output "$hash"
[ "$(hash_of)" = "$hash" ] && ! grep -q '"check_' "$folder/out" || fail "an output that is known was checked, or differs"
run 0 --case $row $quick --benchmark_format=json --checked-output "$hash" --seed 2
[ "$(hash_of)" != "$hash" ] && grep -q '"check_rows"' "$folder/out" || fail "an output that is not known was not checked"
run 0 --case encoder/conformer/linear/chunk/q:2/left:2/layers:2/h:2/d:8 $quick --benchmark_format=json --checked-output 0
hash=$(hash_of)
run 0 --case encoder/conformer/linear/chunk/q:2/left:2/layers:2/h:2/d:8 $quick --benchmark_format=json --checked-output "$hash"
grep -q '"check_' "$folder/out" && fail "a stream's output that is known was checked"
refused "expected 0 or more" --checked-output=-2
ok checked_output

run 0 --help
grep -q -- "--case ROW" "$folder/out" && grep -q -- "--benchmark_filter" "$folder/out" || fail "help"
ok help
