#!/usr/bin/env bash
# Checkpoints with normalisation, converted from ESPnet's and WeNet's, on speech: forward, profile-kv and analyze give what
# PyTorch gave on torchaudio's features (tests/golden/make_speech.py).
. "$(dirname "$0")/../support/check.sh"

golden=$PWD/tests/golden/speech corpus=$PWD/tests/golden/speech/corpus
run() { "$ATTNBENCH" "$@" >"$scratch/out" 2>"$scratch/err"; }
floats() { od -An -v -tf4 -w4 -j128 "$1"; } # of a small .npy file
forward_agrees() { # FRAMEWORK UTTERANCE: within 1e-4 of the largest value
    run features --input "$corpus/test/7/70/$2.wav" --output "$scratch/x.npy" &&
        run forward --config "$golden/$1/c.yaml" --weights "$golden/$1/w.safetensors" --input "$scratch/x.npy" --output "$scratch/y.npy" &&
        cmp -n 128 "$scratch/y.npy" "$golden/$1/$2.npy" &&
        paste <(floats "$scratch/y.npy") <(floats "$golden/$1/$2.npy") | awk 'function size(x) { return x < 0 ? -x : x }
            NF != 2 { bad = 1 } size($2) > most { most = size($2) } size($1 - $2) > off { off = size($1 - $2) } $1 != $1 + 0 { bad = 1 }
            END { exit bad || !NR || !(off <= 1e-4 * most) }'
}
numbers() { grep -o "\"$1\": *[^, ]*" "$2" | sed 's/.*: *//'; }
same_numbers() { # FOUND EXPECTED: files with a number a line, within 1e-4 of what is expected
    paste "$@" | awk 'NF != 2 || !(($1 - $2)^2 <= (1e-4 * $2)^2) { bad = 1 } END { exit bad || !NR }'
}
for framework in espnet wenet; do
    folder=$golden/$framework
    for utterance in 7-70-0000 7-70-0001; do
        check "$framework: forward gives PyTorch's output for $utterance" forward_agrees $framework $utterance
    done
    run profile-kv --config "$folder/c.yaml" --weights "$folder/w.safetensors" --data "$corpus" --split test --format json
    numbers output_rms "$scratch/out" >"$scratch/found"
    sed -n '/\[/,/\]/s/[^0-9.]//gp' "$folder/expected.json" | grep . >"$scratch/expected"
    check "$framework: profile-kv --data gives PyTorch's outputs" same_numbers "$scratch/found" "$scratch/expected"
    run analyze --mha "$folder/c.yaml" --mha-weights "$folder/w.safetensors" --mla "$folder/m.yaml" --mla-weights "$folder/m.safetensors" \
        --data "$corpus" --split test --runs 0 --format json
    numbers relative_error "$scratch/out" | tail -n 1 >"$scratch/found"
    numbers relative_error "$folder/expected.json" >"$scratch/expected"
    check "$framework: analyze --data gives PyTorch's error" same_numbers "$scratch/found" "$scratch/expected"
done
exit $failed
