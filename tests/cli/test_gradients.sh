#!/usr/bin/env bash
# The command gradients: what it prints and writes. The numbers themselves are tests/impl/train's.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${ATTNBENCH:=$PWD/${BUILD:-build}/attnbench}"
. tests/bad/helpers.sh
ROOT=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

fail() {
    echo "[  FAILED  ] $1"
    cat "$work/err"
    exit 1
}
run() { # arguments of gradients, output on out
    "$ATTNBENCH" gradients --config config.yaml --weights weights.safetensors --input input.npy --lengths 17,9,1 \
        --targets t.json "$@" >out 2>err || fail "gradients $*"
}

golden_model conformer-logits
echo '[[1, 2, 2, 6], [3, 4], [5, 5]]' >t.json
run --out a.safetensors
grep -qE '^loss [0-9]+\.[0-9]+$' out && grep -qx 'utterances 3' out || fail "loss and utterances are printed"
grep -qx 'infeasible 1' out || fail "the last utterance has one frame for two labels"
run --out b.safetensors --format json --checkpoint-activations
perl -MJSON::PP -0 -ne '$r = decode_json($_); exit !($r->{loss} > 0 && $r->{infeasible} == 1 && $r->{gradient_norm} > 0)' out ||
    fail "JSON"
cmp -s a.safetensors b.safetensors || fail "checkpointed activations give the same bits"
echo "[       OK ] gradients: loss, utterances that cannot be aligned, checkpointed activations"

shapes() { # of trained tensors, in order of names
    tensors "$1" | sed 's/"dtype":"F32",//; s/,"data_offsets.*//' | grep -v running_ | sort
}
[ "$(shapes a.safetensors)" = "$(shapes weights.safetensors | tr -d ' ')" ] || fail "every parameter under its name and shape, nothing else"
echo "[       OK ] gradients: names and shapes"

