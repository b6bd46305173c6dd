#!/usr/bin/env bash
# Each command with one allocation refused, place after place: it ends with a status of its own and a message, and neither
# crashes nor waits. Crashes inside of libraries are counted and named, and are no failure of this test.
#
#   tests/refuse_memory.sh [COMMAND...]      all commands, unless some are named
#
# A place is a chain of calls that ends in an allocation; the first and the last allocation of each are refused.
# EVERY=1       every allocation, and not only two of each place (128,000 runs)
# RUNS=N        at most N allocations of each command, spread over all
# ATTNBENCH     the program (default build/attnbench); one without sanitizers, which own malloc
# A part of it is in `make test` (tests/cli/test_refuse_memory.sh).
set -u
ulimit -c 0
cd "$(dirname "$0")/.." || exit 2
: "${ATTNBENCH:=$PWD/build/attnbench}" "${RUNS:=0}" "${EVERY:=0}"
export ATTNBENCH_HOME=$PWD OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc -D_GNU_SOURCE -shared -fPIC -o "$work/refuse.so" tests/refuse_memory.c || exit 2

golden=$PWD/tests/golden/encoder/conformer-causal-2layers
cd "$work" || exit 2
printf 'model_type: attention\nattention_type: mha\nd_model: 16\nnum_heads: 4\ninput_layer: linear\ninput_dim: 80\nvocab_size: 4\nnum_epochs: 1\n' >mha.yaml
printf 'repetitions: 1\nrounds: 1\nmin_time: 0.001\ncases:\n  - attention/mha/decode/L:5/h:1/d:4\n' >plan.yaml
for split in train test; do
    mkdir -p speech/$split/1/2
    for i in 1 2; do
        { # a WAV of 0.2 s
            printf 'RIFF\x24\x19\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x19\0\0'
            head -c 6400 "$ATTNBENCH"
        } >speech/$split/1/2/1-2-000$i.wav
        echo "1-2-000$i AB"
    done >speech/$split/1/2/1-2.trans.txt
done
cp speech/test/1/2/1-2-0001.wav a.wav
echo '[[1, 2]]' >targets.json

# What is needed as input, made once: name, then the command.
commands=(
    "info"
    "counters list --counters off"
    "paper"
    "features --input a.wav --output x.npy"
    "forward --config $golden/config.yaml --weights $golden/weights.safetensors --input $golden/input.npy --output y.npy"
    "train --config mha.yaml --data speech --split train --dev-split test --out run --epochs 1"
    "evaluate --config run0/model.yaml --weights run0/model.safetensors --units run0/units.txt --data speech --split test"
    "gradients --config run0/model.yaml --weights run0/model.safetensors --input x0.npy --targets targets.json --out g.safetensors"
    "convert --config $golden/config.yaml --weights $golden/weights.safetensors --to mla --latent-dim 4 --out-config c.yaml --out-weights c.safetensors"
    "analyze --mha $golden/config.yaml --mha-weights $golden/weights.safetensors --mla c0.yaml --runs 0"
    "profile-kv --config mha.yaml --data speech --split test --chunk 4 --out p.json"
    "bench --case attention/mha/decode/L:5/h:1/d:4 --benchmark_min_time=0.001"
    "sweep --plan plan.yaml --counters off --out s.json --restart"
    "merge s0.json --out m.json"
    "compare s0.json s0.json"
    "summary s0.json"
    "report s0.json --out report"
    "history add h.jsonl --results s0.json"
    "history show h0.jsonl"
    "verify --draws 1"
    "machine --filter machine/clock/isa:base"
    "gate --base $ATTNBENCH --candidate $ATTNBENCH --plan plan.yaml --budget 0.2s --no-attribution"
    "selftest --plan plan.yaml --rounds 1 --only-slow --slow 5 --budget 0.2s"
    "study --plan quick --data speech --out study --list"
)
"$ATTNBENCH" train --config mha.yaml --data speech --split train --dev-split test --out run0 --epochs 1 >log 2>&1 &&
    "$ATTNBENCH" features --input a.wav --output x0.npy >>log 2>&1 &&
    "$ATTNBENCH" convert --config "$golden/config.yaml" --weights "$golden/weights.safetensors" --to mla --latent-dim 4 --out-config c0.yaml \
        --out-weights c0.safetensors >>log 2>&1 &&
    "$ATTNBENCH" sweep --plan plan.yaml --counters off --out s0.json >>log 2>&1 &&
    "$ATTNBENCH" history add h0.jsonl --results s0.json >>log 2>&1 || { cat log >&2 && exit 2; }

failed=0
wrong() {
    echo "[  FAILED  ] $1: allocation $2 refused: $3"
    tail -n 3 err | sed 's/^/    /'
    failed=1
}
# A library may write over the heap when it gets no memory, so that the crash comes later, anywhere.
blames_us() {
    local whose="CRASH" own
    own=$(basename "$ATTNBENCH")
    grep -q 'malloc()\|free()\|corrupted' err && whose="REFUSED"
    grep -q "^CRASH" err || whose="REFUSED"
    grep -q "^$whose in .*/$own$" err
}
try() { # command line, allocation
    rm -rf run p.json.journal h.jsonl report
    # shellcheck disable=SC2086
    { timeout -k 1 60 env REFUSE_SAY=1 REFUSE="$2" LD_PRELOAD="$work/refuse.so" "$ATTNBENCH" $1 >out 2>err; } 2>/dev/null
    local status=$?
    if [ $status -eq 124 ] || [ $status -eq 137 ]; then
        wrong "$1" "$2" "does not end"
    elif [ $status -ge 128 ] && ! blames_us; then
        sed -n 's/^CRASH in .*\///p; s/^REFUSED in .*\//refused in /p' err | tail -n 1 >>libraries
    elif [ $status -ge 128 ] || grep -q '^CRASH' err; then
        wrong "$1" "$2" "crashes (status $status)"
    elif [ $status -gt 3 ]; then
        wrong "$1" "$2" "status $status"
    elif [ $status -eq 2 ] && ! grep -q "^attnbench" err; then
        wrong "$1" "$2" "no message"
    fi
}
numbers() { # how many allocations the command makes: those to refuse
    local step=$(($1 > RUNS && RUNS > 0 ? $1 / RUNS : 1))
    if [ "$RUNS" -eq 0 ] && [ "$EVERY" -eq 0 ]; then
        sort -n "$work/places"
    else
        seq $(((step + 1) / 2)) $step "$1"
    fi
}
tried=0
for line in "${commands[@]}"; do
    if [ $# -gt 0 ] && [[ " $* " != *" ${line%% *} "* ]]; then continue; fi
    rm -f count places
    # A child of the command would write the files, too, but it ends first.
    # shellcheck disable=SC2086
    REFUSE_PLACES=$work/places REFUSE_COUNT=$work/count LD_PRELOAD=$work/refuse.so "$ATTNBENCH" $line >out 2>err
    n=$(cat count 2>/dev/null)
    [ -n "$n" ] || { wrong "$line" none "was not counted" && continue; }
    before=$tried bad=$failed failed=0
    for nth in $(numbers "$n"); do
        try "$line" "$nth"
        tried=$((tried + 1))
    done
    [ $failed -eq 0 ] && echo "[       OK ] ${line%% *}: $((tried - before)) of $n allocations refused"
    failed=$((failed | bad))
done
echo "$tried runs"
[ ! -e libraries ] || sort libraries | uniq -c | sed 's/^/crashes inside of libraries: /'
exit $failed
