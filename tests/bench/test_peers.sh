#!/usr/bin/env bash
# Cases run by a peer whose output and times are known: what is printed, timed and reported.
# shellcheck source=tests/support/check.sh
. "$(dirname "$0")/../support/check.sh"
case=attention/mha/decode/L:1/q:1/h:2/d:4/kv:f32/impl:onnxruntime/part:core
bench() { # words...: leaves status
    "$ATTNBENCH" bench --counters off --benchmark_min_time=0.001 "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
}
fake() { # fault, words...
    ATTNBENCH_PYTHON=$PWD/tests/support/fake_peer.pl FAKE_PEER=$1 bench --case $case "${@:2}"
}
refused() { # fault, status, words: what is said
    fake "$1" && false
    [ "$status" = "$2" ] && grep -qF "$3" "$scratch/err"
}

timed() {
    fake '' --benchmark_format=json && [ "$(jq_free real_time)" = 2000000 ] && [ "$(jq_free cpu_time)" = 1000000 ] &&
        grep -q '"label": "Fake 1.0, copies"' "$scratch/out" && grep -q "\"name\": \"$case\"" "$scratch/out"
}
jq_free() { # the first number of that key, whole
    grep -oP "\"$1\": \K[0-9.e+]+" "$scratch/out" | head -n 1 | perl -ne 'printf "%.0f", $_'
}
check "a peer's times are those that it says" timed
check "a wrong output is not timed" refused wrong 1 'contexts differ from the plain reference by 0.5'
check "an output of another size is refused" refused short 2 'gave 12 bytes of output, expected 16'
check "a peer that is not installed is not supported here" refused missing 3 'ONNX Runtime: there is no such library'
check "a peer that ends is named" refused dies 2 'ONNX Runtime: it is tired'
check "a peer that says something else is refused" refused babbles 2 'ONNX Runtime: it did not say that it is ready'
without_numpy() { # peer
    PYTHONPATH=$scratch/without bench --case attention/mha/decode/L:8/h:2/d:4/impl:"$1"
    [ "$status" = 3 ] && [[ $(tail -n 1 "$scratch/err") == *": no numpy here" ]]
}
if [ -x /usr/bin/python3 ]; then
    mkdir "$scratch/without"
    echo "raise ImportError('no numpy here')" >"$scratch/without/numpy.py"
    for peer in onnxruntime torch; do check "without numpy, $peer is not installed" without_numpy $peer; done
fi
unsupported() {
    bench --case attention/mha/decode/L:8/h:2/d:4/impl:torch/kv:f16
    [ "$status" = 3 ] && grep -q 'kv: PyTorch is run with a cache in f32' "$scratch/err"
}
check "a cache in f16 is refused before anything starts" unsupported
by_turns() {
    printf 'go 3\nquit\n' | ATTNBENCH_PYTHON=$PWD/tests/support/fake_peer.pl "$ATTNBENCH" bench --turns --counters off \
        --case $case >"$scratch/out" 2>"$scratch/err" && grep -qx 'done 6000000 3000000' "$scratch/out"
}
check "turns are passed on" by_turns

# Of two repetitions one that others disturb would hide a factor of 600.
cat >"$scratch/plan.yaml" <<EOF
summary: one case
repetitions: 5
min_time: 0.001
cases: [attention/mha/decode/L:1/h:2/d:4/part:core, attention/mha/decode/L:1/h:2/d:4/part:core/kv:f16]
EOF
sweep() {
    ATTNBENCH_PYTHON=$1 "$ATTNBENCH" sweep --plan "$scratch/plan.yaml" --peers "${@:2}" >"$scratch/out" 2>"$scratch/err"
}
rows() {
    sweep "$PWD/tests/support/fake_peer.pl" --list && [ "$(wc -l <"$scratch/out")" = 4 ] &&
        [ "$(sed -n 2p "$scratch/out")" = "$case" ] && sed -n 3p "$scratch/out" | grep -q impl:torch &&
        grep -qx 'peer: Fake 1.0' "$scratch/err"
}
check "their rows follow ours, where they do the case" rows
absent() {
    FAKE_PEER=missing sweep "$PWD/tests/support/fake_peer.pl" --list && [ "$(wc -l <"$scratch/out")" = 2 ] &&
        grep -q '^peer: PyTorch is not here (there is no such library); to install it: apt-get' "$scratch/err" &&
        sweep "$scratch/no-python" --list && [ "$(grep -c 'cannot be run: No such file' "$scratch/err")" = 2 ]
}
check "those that are not installed are named once, with the way to" absent
reported() {
    sweep "$PWD/tests/support/fake_peer.pl" --counters off --out "$scratch/r.json" &&
        "$ATTNBENCH" report "$scratch/r.json" --out "$scratch/report" >"$scratch/out" 2>"$scratch/err" || return 1
    local table=$scratch/report/tables/peers.json
    grep -q '"peer": "Fake 1.0, copies"' "$table" && grep -qE '"peer_ms": 1(\.0)?[,}]' "$table" &&
        grep -q '"verdict": "we are faster"' "$table" && grep -q 'faster in 1 of 1 cases' "$scratch/report/index.html" &&
        ! grep -q onnxruntime "$scratch/report/tables/speed.csv"
}
check "the report has the ratio to the faster one, and no other table has peers" reported

exit $failed
