#!/usr/bin/env bash
# Makes synthetic speech to train on, in LibriSpeech's layout (16 kHz, mono, 16-bit FLAC; splits train, dev and test, no
# voice in two of them), for people who have no corpus: espeak-ng, flite and festival speak digits and short sentences in
# many voices, speeds and pitches. The same arguments give the same files from the same versions of the synthesisers.
#
#   datasets/make_training_corpus.sh OUTDIR [MINUTES [digits|mixed [SEED]]]
#
# MINUTES (default 60) is about how long it all is. digits: strings of two to seven digits; mixed (default): sentences too.
# A synthesiser that is not installed costs its voices only. JOBS=N processes speak at once (default: one a CPU).
# SYNTHETIC.txt in OUTDIR says what made it: attnbench repeats it where it shows results of this speech.
#
# Exit status: 0 made, or there already; 2 bad usage, no synthesiser, or a folder that cannot be written.
set -euo pipefail
export LC_ALL=C.UTF-8

fail() {
    echo "make_training_corpus.sh: $*" >&2
    exit 2
}

[ $# -ge 1 ] && [ $# -le 4 ] || fail "usage: make_training_corpus.sh OUTDIR [MINUTES [digits|mixed [SEED]]]"
out=${1%/} minutes=${2:-60} words=${3:-mixed} seed=${4:-1}
[[ $minutes =~ ^[1-9][0-9]{0,3}$ ]] || fail "MINUTES is \"$minutes\", expected 1 to 9999"
[[ $words == digits || $words == mixed ]] || fail "\"$words\": expected digits or mixed"
[[ $seed =~ ^[0-9]{1,9}$ ]] || fail "SEED is \"$seed\", expected 0 to 999999999"
[ -n "$out" ] || fail "OUTDIR is empty or /"

# Split, speaker number, synthesiser, voice, words a minute (espeak-ng) or stretch in percent, pitch or its mean in Hz.
voices=(
    "train 201 espeak-ng en-us 150 45" "train 202 espeak-ng en-us+f2 155 60" "train 203 espeak-ng en-us+m3 140 35"
    "train 204 espeak-ng en-gb 160 50" "train 205 espeak-ng en-gb+f4 150 65" "train 206 espeak-ng en-gb-scotland 145 40"
    "train 207 espeak-ng en-gb-scotland+f1 160 55" "train 208 espeak-ng en-gb-x-gbclan+m5 150 45"
    "train 209 espeak-ng en-029+f3 150 60" "train 210 espeak-ng en-gb-x-rp+m6 155 50"
    "train 211 flite awb 100 130" "train 212 flite slt 100 170" "train 213 flite kal16 100 105"
    "train 214 festival kal_diphone 100 0" "train 215 festival cmu_us_slt_arctic_hts 100 0"
    "dev 301 espeak-ng en-gb-x-rp+f5 150 60" "dev 302 espeak-ng en-us+m7 150 45" "dev 303 festival ked_diphone 100 0"
    "test 401 espeak-ng en-gb-x-gbcwmd+f1 160 65" "test 402 espeak-ng en-029+m2 145 40" "test 403 flite rms 100 100"
)
chapter_size=50
per_minute=30 # utterances, of two seconds in the mean

check_tools() {
    command -v zita-resampler >/dev/null || fail "not installed: zita-resampler (Debian: apt-get install zita-resampler)"
    local tool missing=()
    for tool in espeak-ng flite festival; do
        command -v $tool >/dev/null && tools+=("$tool") || missing+=("$tool")
    done
    [ ${#tools[@]} -gt 0 ] || fail "no synthesiser is installed (Debian: apt-get install ${missing[*]})"
    [ ${#missing[@]} -eq 0 ] ||
        echo "make_training_corpus.sh: not installed, going on without their voices: ${missing[*]} (Debian: apt-get install ${missing[*]})" >&2
}

# Festival's voices are packages of their own.
has_voice() { # synthesiser, voice
    [[ " ${tools[*]} " == *" $1 "* ]] || return 1
    [ "$1" != festival ] || [ -n "$(find /usr/share/festival/voices -maxdepth 2 -name "$2" -print -quit 2>/dev/null)" ]
}

# Sets R to a number from 0 to $1 - 1. The same seed gives the same numbers in every version of bash.
state=$seed
random() {
    state=$((state * 6364136223846793005 + 1442695040888963407))
    R=$((((state >> 33) & 0x7fffffff) % $1))
}
pick() { # words: sets P to one of them
    random $#
    shift "$R"
    P=$1
}

digits() { # fewest, more: sets P
    local i count text=()
    random "$2"
    count=$(($1 + R))
    for ((i = 0; i < count; i++)); do
        pick zero one two three four five six seven eight nine
        text+=("$P")
    done
    P=${text[*]}
}
thing() {
    local colour noun
    pick red green old small quiet dark
    colour=$P
    pick boat house train dog bridge river garden clock
    noun=$P
    P="the $colour $noun"
}
sentence() {
    local first verb
    random 4
    case $R in
    0)
        thing && first=$P
        pick "is near" "stood behind" "went under" "came from" && verb=$P
        thing && P="$first $verb $P"
        ;;
    1)
        pick left right back && first=$P
        pick mill church market station && P="turn $first at the $P and wait"
        ;;
    2)
        pick anna peter mary john && first=$P
        digits 3 3 && P="please call $first at $P"
        ;;
    *)
        digits 1 1 && first=$P
        pick apples letters birds chairs windows && verb=$P
        thing && P="$first $verb near $P"
        ;;
    esac
}
words_of_one() {
    random 5
    if [ "$words" = digits ] || [ "$R" -lt 3 ]; then digits 2 6; else sentence; fi
}

# ---- What is said, by whom: a line "split speaker id synthesiser voice speed pitch words" each.
write_list() {
    local split share count row speaker tool voice speed pitch nth i of_split
    for split in train dev test; do
        [ $split = train ] && share=84 || share=8
        of_split=()
        for row in "${voices[@]}"; do
            read -r _ speaker tool voice _ <<<"$row"
            [[ $row == "$split "* ]] && has_voice "$tool" "$voice" && of_split+=("$row")
        done
        [ ${#of_split[@]} -gt 0 ] || fail "no voice is left for the split $split: install more of espeak-ng, flite, festival"
        count=$(((minutes * per_minute * share + 99) / 100))
        for ((i = 0; i < count; i++)); do
            read -r _ speaker tool voice speed pitch <<<"${of_split[i % ${#of_split[@]}]}"
            nth=$((i / ${#of_split[@]}))
            random 31 && speed=$((speed * (85 + R) / 100))
            random 21 && pitch=$((pitch * (90 + R) / 100))
            words_of_one
            printf '%s %s %s-%d-%04d %s %s %d %d %s\n' $split "$speaker" "$speaker" $((1 + nth / chapter_size)) \
                $((nth % chapter_size)) "$tool" "$voice" "$speed" "$pitch" "$P"
        done
    done >"$work/list"
}

# ---- Speaking. Even when it only writes a file, espeak-ng's PulseAudio leaves folders in HOME and TMPDIR.
speak() { # file, synthesiser, voice, speed, pitch, words
    case $2 in
    espeak-ng) HOME=$home TMPDIR=$home espeak-ng -v "$3" -s "$4" -p "$5" -w "$1" "$6" ;;
    flite) flite -voice "$3" --setf "duration_stretch=$(stretch "$4")" --setf "int_f0_target_mean=$5" -t "$6" -o "$1" ;;
    esac
}
stretch() { # percent of speed
    printf '%d.%02d' $((10000 / $1 / 100)) $((10000 / $1 % 100))
}
file_of() { # split, speaker, id
    local rest=${3#*-}
    echo "$work/$1/$2/${rest%-*}/$3"
}

festival_script() { # those of the list on standard input
    local split speaker id voice speed words_said
    echo "(define (say text stretch file) (Parameter.set 'Duration_Stretch stretch)" \
        "(utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff))"
    while read -r split speaker id _ voice speed _ words_said; do
        echo "(voice_$voice) (say \"$words_said\" $(stretch "$speed") \"$(file_of "$split" "$speaker" "$id").wav\")"
    done
}

convert() { # a wav file becomes a flac file
    zita-resampler --rate 16000 --16bit --flac "$1" "${1%.wav}.flac" >"$home/log" 2>&1 && rm "$1" && return
    echo "make_training_corpus.sh: $1: speech could not be made: $(tail -n 1 "$home/log" 2>/dev/null)" >&2
    return 1
}

shard() { # number, of how many
    local split speaker id tool voice speed pitch words_said file
    home=$work/home.$1
    mkdir "$home"
    # Its first run in a new HOME draws other numbers for breath than all later ones.
    ! has_voice espeak-ng any || speak "$home/first.wav" espeak-ng en-us+f2 150 50 one </dev/null
    awk -v n="$1" -v of="$2" 'NR % of == n' "$work/list" >"$home/list"
    while read -r split speaker id tool voice speed pitch words_said; do
        file=$(file_of "$split" "$speaker" "$id").wav
        [ "$tool" = festival ] || speak "$file" "$tool" "$voice" "$speed" "$pitch" "$words_said" </dev/null
    done <"$home/list"
    if grep -q ' festival ' "$home/list"; then
        grep ' festival ' "$home/list" | festival_script >"$home/say.scm"
        HOME=$home festival -b "$home/say.scm" </dev/null >/dev/null
    fi
    while read -r split speaker id _; do
        convert "$(file_of "$split" "$speaker" "$id").wav"
    done <"$home/list"
}

write_transcripts() {
    local split speaker id words_said file
    while read -r split speaker id _ _ _ _ words_said; do
        file=$(file_of "$split" "$speaker" "$id")
        echo "$id ${words_said^^}" >>"${file%-*}.trans.txt"
    done <"$work/list"
}

speak_all() {
    local jobs=${JOBS:-$(nproc)} n shards=()
    cut -d' ' -f1-3 "$work/list" | while read -r split speaker id; do dirname "$(file_of "$split" "$speaker" "$id")"; done |
        sort -u | xargs mkdir -p
    for ((n = 0; n < jobs; n++)); do
        shard $n "$jobs" &
        shards+=($!)
    done
    for n in "${shards[@]}"; do
        wait "$n" || fail "speech could not be made"
    done
}

describe() {
    local used
    used=$(cut -d' ' -f4,5 "$work/list" | sort -u)
    echo "Synthetic speech: $(wc -l <<<"$used") voices of $(cut -d' ' -f1 <<<"$used" | uniq | paste -sd, | sed 's/,/, /g')" \
        "(datasets/make_corpus.sh --training, $words, seed $seed)"
    echo "Not human speech: how well a model hears it says little of how well it hears people."
}

key="$minutes $words $seed"
if [ -e "$out" ]; then
    [ -d "$out" ] || fail "$out: exists and is not a folder"
    [ "$(cat "$out/.complete" 2>/dev/null)" = "$key" ] ||
        fail "$out: exists, and is not a complete corpus of these arguments; remove it or name another folder"
    echo "make_training_corpus.sh: $out is there already and complete" >&2
    exit 0
fi
tools=()
check_tools

# Made next to its final name, so that a folder under the final name is always whole.
mkdir -p "$(dirname "$out")" 2>/dev/null || fail "$(dirname "$out"): folder cannot be made"
work=$(mktemp -d "$out.tmp.XXXXXX" 2>/dev/null) || fail "$(dirname "$out"): cannot be written"
work=$(realpath "$work")
at_exit() {
    local running
    mapfile -t running < <(jobs -p)
    [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null || true
    rm -rf "$work"
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$work"
write_list
speak_all
write_transcripts
describe >"$work/SYNTHETIC.txt"
echo "$key" >"$work/.complete"
count=$(wc -l <"$work/list")
rm -rf "$work/list" "$work"/home.*
mv -T "$work" "$out" || fail "$out: cannot be written"
trap - EXIT
echo "make_training_corpus.sh: $count utterances in $out" >&2
