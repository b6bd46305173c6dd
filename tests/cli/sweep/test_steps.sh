#!/usr/bin/env bash
# profile-kv --out and analyze --sweep --out, killed: the same command goes on where it was, and other work is refused.
# The kill is the kernel's: a limit on how long a file may be, which the journal meets in the middle of a line.
. "$(dirname "$0")/../../support/check.sh"

printf 'model_type: attention\nattention_type: mha\nd_model: 16\nnum_heads: 4\nnum_layers: 2\ninput_dim: 80\ninput_layer: linear\n' >"$scratch/mha.yaml"
sed 's/mha/gqa/' "$scratch/mha.yaml" >"$scratch/gqa.yaml"
folder=$scratch/speech/test/1/2
mkdir -p "$folder"
for i in 1 2 3 4; do
    { # a WAV of 0.2 s of noise
        printf 'RIFF\x24\x19\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x19\0\0'
        head -c 6400 /dev/urandom
    } >"$folder/1-2-000$i.wav"
    echo "1-2-000$i WORD"
done >"$folder/1-2.trans.txt"

profile() {
    "$ATTNBENCH" profile-kv --config "$scratch/mha.yaml" --config "$scratch/gqa.yaml" --data "$scratch/speech" --split test \
        --chunk 4 --runs 2 --out "$scratch/p.json" "$@" >"$scratch/out" 2>"$scratch/err"
}
golden=tests/golden/encoder/conformer-causal-2layers
sweep() {
    "$ATTNBENCH" analyze --mha $golden/config.yaml --mha-weights $golden/weights.safetensors --input $golden/input.npy --sweep \
        --out "$scratch/s.json" >"$scratch/out" 2>"$scratch/err"
}
says() { grep -q "$1" "$scratch/err"; }
interrupted() { # command, KiB
    # shellcheck disable=SC2030
    (
        ulimit -c 0 -f "$2"
        exec 2>/dev/null # what bash says of the kill
        $1
    ) && return 1
    return 0
}
steps() { grep -c '^{"step".*}$' "$scratch/$1.json.journal"; }
numbers() { # of the first list in $2 that is called $1: a line each, written alike
    # shellcheck disable=SC2046
    printf '%.14e\n' $(tr -d ' \n' <"$2" | grep -o "\"$1\":\[[^]]*" | sed 's/.*\[//; s/,/ /g; q')
}

check "profile-kv is killed" interrupted profile 5
kept=$(steps p)
check "steps of both models are kept ($kept)" [ "$kept" -gt 4 -a "$kept" -lt 8 ]
check "nothing under the final name" [ ! -e "$scratch/p.json" ]
cp "$scratch/p.json.journal" "$scratch/journal"
check "another command line is refused" eval '! profile --left-chunks 1; says "p.json.journal: is of another command line"'
mv "$folder/1-2-0004.wav" "$scratch/saved.wav"
head -c 6444 "$folder/1-2-0001.wav" >"$folder/1-2-0004.wav"
check "other audio is refused" eval '! profile; says "or of files that have changed"'
mv "$scratch/saved.wav" "$folder/1-2-0004.wav"
check "the same command goes on" eval "profile; says 'resuming: $kept steps'"
check "all utterances of both are there" [ "$(grep -c '"id"' "$scratch/p.json")" -eq 8 ]
check "the journal is gone" [ ! -e "$scratch/p.json.journal" ]
# The first utterance's times, to the last digit, are those that were measured before the kill.
sed -n 2p "$scratch/journal" >"$scratch/first"
check "times of before are kept as they were" [ "$(numbers seconds_samples "$scratch/p.json")" = "$(numbers seconds "$scratch/first")" ]

cp "$scratch/journal" "$scratch/p.json.journal"
sed -i '3s/"frames":[0-9]*/"frames":7/; 4s/{"step"/{"stop"/' "$scratch/p.json.journal"
check "steps that were changed by hand are done again" eval "profile; says 'resuming: $((kept - 2)) steps'"
check "and right" eval '[ "$(grep -c "\"frames\": 7," "$scratch/p.json")" -eq 0 ] && [ "$(grep -c "\"id\"" "$scratch/p.json")" -eq 8 ]'

fit() {
    "$ATTNBENCH" profile-kv --config "$scratch/mha.yaml" --memory-fit 1,2,3,4,5,6,7,8 --out "$scratch/f.json" >"$scratch/out" 2>"$scratch/err"
    [ $? -le 1 ] # 1: peaks of so small a model may lie off the line
}
check "profile-kv --memory-fit is killed" interrupted fit 1
kept=$(steps f)
check "lengths are kept ($kept)" [ "$kept" -gt 0 -a "$kept" -lt 8 ]
cp "$scratch/f.json.journal" "$scratch/journal"
check "the same command goes on" eval "fit; says 'resuming: $kept steps'"
check "no length is run twice" [ "$(grep -c 's of audio$' "$scratch/err")" -eq $((8 - kept)) ]
check "all lengths are there" [ "$(grep -c '"audio_seconds"' "$scratch/f.json")" -eq 8 ]
sed -n 's/.*"took":\([^,}]*\).*/\1/p' "$scratch/journal" | head -n 1 >"$scratch/first"
check "what was measured before is kept as it was" \
    [ "$(printf '%.12e' "$(grep -o '"run_seconds": [^,]*' "$scratch/f.json" | sed 's/.*: //; q')")" = "$(printf '%.12e' "$(cat "$scratch/first")")" ]
check "the journal is gone" [ ! -e "$scratch/f.json.journal" ]

echo '{"journal":1}' >"$scratch/p.json.journal"
check "a sweep's journal is refused" eval '! profile; says "is of a sweep or of something else: remove it"'

check "a sweep in one go" sweep
mv "$scratch/s.json" "$scratch/whole.json"
check "analyze --sweep is killed" interrupted sweep 6
kept=$(steps s)
check "points are kept ($kept)" [ "$kept" -gt 3 ]
check "the same command goes on" eval "sweep; says 'resuming: $kept steps'"
check "no point is computed twice" [ "$(grep -c 'numbers a frame: error' "$scratch/err")" -eq $(($(grep -c '"method"' "$scratch/whole.json") - kept)) ]
check "the results are those of one go" cmp "$scratch/s.json" "$scratch/whole.json"
check "the journal is gone" [ ! -e "$scratch/s.json.journal" ]

exit $failed
