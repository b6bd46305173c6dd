#!/usr/bin/env bash
# Synthetic speech to train on: no voice in two splits, the same every time, labelled, one line for what is missing.
. "$(dirname "$0")/../support/check.sh"
script=datasets/make_corpus.sh

refuses() { # expected message, arguments...
    local expected=$1
    shift
    "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq 2 ] && [ "$(wc -l <"$scratch/err")" -eq 1 ] && grep -qF -- "$expected" "$scratch/err"
}

# Every tool of the script but synthesisers, and the ones that are named.
tools() { # folder, synthesisers
    local tool
    mkdir "$1"
    for tool in bash env dirname find wc cat cut sort uniq paste sed xargs mkdir mktemp realpath chmod rm mv awk grep nproc tail zita-resampler "${@:2}"; do
        ln -s "$(command -v "$tool")" "$1/$tool" 2>/dev/null
    done
}

check "minutes that are no number" refuses "expected 1 to 9999" $script --training "$scratch/x" many
check "words that it does not know" refuses "expected digits or mixed" $script --training "$scratch/x" 1 songs
if ! command -v espeak-ng >/dev/null || ! command -v zita-resampler >/dev/null; then
    echo "[  SKIPPED ] espeak-ng or zita-resampler is not installed"
    exit $failed
fi
tools "$scratch/silent"
tools "$scratch/one" espeak-ng
check "no synthesiser" refuses "no synthesiser is installed (Debian: apt-get install" env PATH="$scratch/silent" $script --training "$scratch/x"

makes() { # folder, jobs
    env PATH="$scratch/one" JOBS="$2" $script --training "$scratch/$1" 1 mixed >"$scratch/out" 2>"$scratch/err"
}
says_what_is_missing() {
    makes a 1 && grep -q "going on without their voices: flite festival" "$scratch/err"
}
check "goes on without those that are missing, and says so" says_what_is_missing
same_again() {
    makes b 2 && diff -r "$scratch/a" "$scratch/b" >"$scratch/out"
}
check "the same from one process and from two" same_again
layout() {
    local split
    for split in train dev test; do
        ls "$scratch/a/$split"
    done | sort | uniq -d >"$scratch/out"
    [ ! -s "$scratch/out" ] && [ "$(find "$scratch/a" -name '*.flac' | wc -l)" -eq 32 ]
}
check "no voice in two splits" layout
check "says that it is synthetic" grep -q "^Synthetic speech: 14 voices of espeak-ng " "$scratch/a/SYNTHETIC.txt"
reads() {
    cat >"$scratch/plan.yaml" <<'END'
models: [{model_type: conformer, d_model: 8, num_heads: 2, num_layers: 1, conv_kernel_size: 3}]
runs: [{origin: scratch}]
END
    "$ATTNBENCH" study --plan "$scratch/plan.yaml" --data "$scratch/a" --list >"$scratch/out" 2>"$scratch/err" &&
        [ "$(cat "$scratch/out")" = conformer-d8-l1-k3-mha-scratch-s1 ]
}
check "attnbench reads it" reads
complete() {
    makes a 1 && grep -q "there already and complete" "$scratch/err" &&
        refuses "not a complete corpus of these arguments" $script --training "$scratch/a" 2
}
check "knows whether it is there" complete
left() {
    ls "$scratch" >"$scratch/out"
    [ "$(paste -sd' ' "$scratch/out")" = "a b err one out plan.yaml silent" ]
}
check "leaves nothing behind" left
exit $failed
