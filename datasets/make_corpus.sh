#!/usr/bin/env bash
# Makes a small synthetic speech corpus in LibriSpeech's layout (16 kHz, mono, 16-bit FLAC; one split, "test")
# for people who have no corpus: espeak-ng speaks, zita-resampler brings 22.05 kHz down to 16 kHz and writes FLAC.
# The same N gives the same files from the same versions of the two tools.
#
#   datasets/make_corpus.sh OUTDIR [N]          N utterances, default 12
#   datasets/make_corpus.sh --training ...      speech to train on: datasets/make_training_corpus.sh ...
#
# Exit status: 0 made, or there already; 2 bad usage, a missing tool, or a folder that cannot be written.
set -euo pipefail

fail() {
    echo "make_corpus.sh: $*" >&2
    exit 2
}

if [ "${1-}" = --training ]; then
    shift
    exec "$(dirname "$0")/make_training_corpus.sh" "$@"
fi

[ $# -ge 1 ] && [ $# -le 2 ] || fail "usage: make_corpus.sh OUTDIR [N]"
out=${1%/} count=${2:-12}
[[ $count =~ ^[1-9][0-9]{0,3}$ ]] || fail "N is \"$count\", expected 1 to 9999"
[ -n "$out" ] || fail "OUTDIR is empty or /"

# Speaker number, voice, words a minute, pitch. A chapter holds five utterances.
speakers=("101 en-us 150 45" "102 en-gb 165 60" "103 en-gb-scotland 140 35" "104 en-us+f3 160 70")
chapter_size=5

sentences=(
    "the kettle was singing when the postman came up the path"
    "seven boats left the harbour before the fog had lifted and only six of them came home that evening"
    "please read the number four zero nine two eight once more"
    "a good map shows the hills that a traveller would rather not climb"
    "in the old library the clock on the wall had stopped at a quarter to three and nobody could remember a time when it had told anything else"
    "she counted the steps twice and found a different answer each time"
    "the engineer listened to the machine for a long while then tightened one small screw and smiled"
    "rain fell on the market all morning"
    "he wrote the letter in pencil so that he could change his mind about the last line before the train arrived at the station"
    "nobody on the team had expected the bridge to hum in the wind"
    "turn left at the mill cross the narrow bridge and follow the river until you see three white houses with green doors standing side by side"
    "bread salt and a little oil are enough for supper"
    "the teacher asked which of the planets was the coldest and every hand in the room went up"
    "one two three four five six seven eight nine ten"
    "when the lights went out the whole orchestra kept playing because every one of them knew the last movement by heart and the audience did not dare to breathe"
    "an honest measurement is worth more than a clever guess"
    "the dog slept under the table and dreamed of rabbits"
)

listed() { # utterances in transcripts, in a corpus folder
    cat "$1"/test/*/*/*.trans.txt 2>/dev/null | wc -l
}

if [ -e "$out" ]; then
    [ -d "$out" ] || fail "$out: exists and is not a folder"
    have=$(find "$out/test" -name '*.flac' -size +0 2>/dev/null | wc -l)
    if [ "$have" -eq "$count" ] && [ "$(listed "$out")" -eq "$count" ]; then
        echo "make_corpus.sh: $out is there already and complete ($count utterances)" >&2
        exit 0
    fi
    fail "$out: exists, and is not a complete corpus of $count utterances (audio: $have); remove it or name another folder"
fi

missing=()
command -v espeak-ng >/dev/null || missing+=(espeak-ng)
command -v zita-resampler >/dev/null || missing+=(zita-resampler)
[ ${#missing[@]} -eq 0 ] || fail "not installed: ${missing[*]} (Debian: apt-get install ${missing[*]})"

# Made next to its final name, so that a folder under the final name is always whole.
mkdir -p "$(dirname "$out")" 2>/dev/null || fail "$(dirname "$out"): folder cannot be made"
work=$(mktemp -d "$out.tmp.XXXXXX" 2>/dev/null) || fail "$(dirname "$out"): cannot be written"
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/espeak"

# Even when it only writes a file or its version, its PulseAudio leaves folders in HOME and TMPDIR.
espeak() {
    HOME=$work/espeak TMPDIR=$work/espeak espeak-ng "$@"
}

say() { # words, voice, speed, pitch, FLAC file
    espeak -v "$2" -s "$3" -p "$4" -w "$work/speech.wav" "$1" &&
        zita-resampler --rate 16000 --16bit --flac "$work/speech.wav" "$5" >"$work/log" 2>&1
}

for ((i = 0; i < count; i++)); do
    read -r speaker voice speed pitch <<<"${speakers[i % ${#speakers[@]}]}"
    nth=$((i / ${#speakers[@]}))
    chapter=$((speaker * 10 + nth / chapter_size))
    folder=$work/test/$speaker/$chapter
    id=$(printf '%s-%s-%04d' "$speaker" "$chapter" $((nth % chapter_size)))
    words=${sentences[i % ${#sentences[@]}]}
    mkdir -p "$folder"
    say "$words" "$voice" "$speed" "$pitch" "$folder/$id.flac" ||
        fail "$id: speech could not be made: $(tail -n 1 "$work/log" 2>/dev/null)"
    echo "$id ${words^^}" >>"$folder/$speaker-$chapter.trans.txt"
done

version=$(espeak --version | sed 's/ *Data at.*//')
echo "Synthetic speech made by datasets/make_corpus.sh with $version. Not human speech." >"$work/SYNTHETIC.txt"
rm -rf "$work/speech.wav" "$work/log" "$work/espeak"
mv -T "$work" "$out" || fail "$out: cannot be written"
trap - EXIT
echo "make_corpus.sh: $count utterances in $out/test" >&2
