#!/usr/bin/env bash
# From a clean clone to the report, or to the tests. Does all of its own set-up. See --help.
set -euo pipefail
if [ -n "${ATTNBENCH_SPEECH:-}" ]; then
    ATTNBENCH_SPEECH=$(realpath -m "$ATTNBENCH_SPEECH") # given from where the user stands
fi
cd "$(dirname "$0")" || exit
export LC_ALL=C.UTF-8

usage() {
    cat <<'END'
./run_all.sh             set up, build, check, measure the quick plan and write the report (about 6 minutes on two cores)
./run_all.sh --full      the same with the long plan (hours)
./run_all.sh study       set up, build, make speech, train and convert small models, and hear how well they recognise
                         it (about 10 minutes on two cores); the page of ./run_all.sh, made before or after, shows it
./run_all.sh test        set up, then make test
./run_all.sh test-pmu    set up, then make test-pmu: hardware counters, on emulated machines that have them
./run_all.sh test-slurm  set up, then make test-slurm: job arrays, on a Slurm of its own
./run_all.sh --help      this

Everything goes below out/ and build/. Started again, a run skips the steps that were finished with the same program and
the same speech, and the sweep goes on with the case that it was at. All but study measures cost and cache bytes, not accuracy.
Missing Debian packages (packages.txt) are installed when root or password-less sudo is there; otherwise the command is printed.

ATTNBENCH_SPEECH=DIR   a corpus in LibriSpeech's layout (default: a small synthetic one, made with espeak-ng)
ATTNBENCH_SPLIT=NAME   its split (default: the first)
ATTNBENCH_UTTERANCES=N utterances of it that are run, the first ones (default 6), or all
ATTNBENCH_PLAN=NAME    of study: quick (default), conformer (an hour), full (days) or a file; its splits are those of the corpus
                       (docs/study.md)
JOBS=N                 compilers at once (default: as many as there are CPUs)
Exit status: 0 fine; 1 a check failed; 2 something is missing or a step could not be done.
END
}

stop() {
    echo "run_all.sh: $*" >&2
    exit 2
}

step=
times=()
begin() {
    step=$1
    started=$SECONDS
    echo "== $step"
}
finish() {
    local seconds=$((SECONDS - started))
    echo "   $step: done in $seconds s"
    times+=("${step%%[:(]*} $seconds s")
    step=
}
unfinished=
at_exit() {
    local status=$?
    [ -z "$unfinished" ] || rm -f "$unfinished"
    if [ "$status" -ne 0 ] && [ -n "$step" ]; then
        echo "run_all.sh: stopped in step \"$step\" (status $status). Started again, it goes on with that step." >&2
    fi
}
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command with its output in out/logs/NAME.log; shows the end of it when the command fails.
logged() {
    local log=out/logs/$1.log
    shift
    mkdir -p out/logs
    if "$@" >"$log" 2>&1; then
        return
    else
        local status=$?
        tail -n 30 "$log" >&2
        echo "run_all.sh: the whole output is in $log" >&2
        return $status
    fi
}

missing_packages() { # run|test|study|pmu|page
    local who package
    while read -r who package; do
        [ "$who" = run ] || [ "$who" = "$1" ] || continue
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done < <(grep -v '^#' packages.txt)
}

set_up() { # run|test|study|pmu|page
    begin "set-up"
    if ! command -v dpkg-query >/dev/null; then
        echo "   not a Debian system: install what packages.txt names; going on with what is here"
        finish
        return
    fi
    local packages install as_root=()
    mapfile -t packages < <(missing_packages "$1")
    if [ ${#packages[@]} -gt 0 ]; then
        install=(apt-get install --no-install-recommends "${packages[@]}")
        echo "   missing: ${packages[*]}"
        if [ "$(id -u)" -ne 0 ]; then
            sudo -n true 2>/dev/null ||
                stop "packages are missing and neither root nor password-less sudo is here. Run this, then ./run_all.sh again:
    sudo apt-get update && sudo ${install[*]}"
            as_root=(sudo -n)
        fi
        as_root+=(env DEBIAN_FRONTEND=noninteractive)
        local ask=(-y -q -o DPkg::Lock::Timeout=300)
        # Lists that are missing or too old show as a failed installation: then update, once.
        logged install "${as_root[@]}" "${install[@]}" "${ask[@]}" 2>/dev/null || {
            logged update "${as_root[@]}" apt-get update "${ask[@]}" || stop "apt-get update failed"
            logged install "${as_root[@]}" "${install[@]}" "${ask[@]}" || stop "this failed: ${install[*]}"
        }
        mapfile -t packages < <(missing_packages "$1")
        [ ${#packages[@]} -eq 0 ] || stop "still missing after installation: ${packages[*]} (see out/logs/install.log)"
    fi
    finish
}

# Sets data, split, utterances; what the user gave is checked before anything is installed or built.
check_speech() {
    data=${ATTNBENCH_SPEECH:-out/speech} split=${ATTNBENCH_SPLIT:-} utterances=${ATTNBENCH_UTTERANCES:-6}
    [[ $utterances =~ ^([1-9][0-9]{0,5}|all)$ ]] || stop "ATTNBENCH_UTTERANCES=$utterances: expected a number from 1, or all"
    [ -n "${ATTNBENCH_SPEECH:-}" ] || return 0
    [ -d "$data" ] || stop "ATTNBENCH_SPEECH=$data: no such folder"
    find_split
}

find_split() {
    [ -n "$split" ] || split=$(find "$data" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | head -n 1)
    [[ -n $split && -d $data/$split ]] || stop "$data: no split \"$split\" in it (ATTNBENCH_SPLIT names one)"
    [ -n "$(find "$data/$split" -name '*.flac' -print -quit)" ] || stop "$data/$split: no .flac file in it"
}

speech() {
    [ -z "${ATTNBENCH_SPEECH:-}" ] || return 0
    begin "speech"
    logged speech datasets/make_corpus.sh "$data"
    echo "   synthetic speech (espeak-ng) in $data; ATTNBENCH_SPEECH=DIR takes real speech"
    find_split
    finish
}

# Whether the step was finished before with the same inputs: the program, and what the words say. Sets key.
is_done() { # step, output, words
    local name=$1 output=$2
    shift 2
    key=$({ sha256sum <build/attnbench && printf '%s\n' "$@"; } | sha256sum)
    [ -s "$output" ] && [ "$(cat "out/stamps/$name" 2>/dev/null)" = "$key" ] || return 1
    echo "   done before with the same program and input: $output"
}
stamp() { # step
    mkdir -p out/stamps
    echo "$key" >"out/stamps/$1"
}

# Runs a command whose standard output becomes a file, whole or not at all.
into() { # file, command
    local file=$1 status=0
    shift
    unfinished=$file.new
    "$@" >"$unfinished" || status=$?
    [ "$status" -ne 0 ] || mv "$unfinished" "$file"
    rm -f "$unfinished"
    unfinished=
    return $status
}

# Takes "files" from its caller.
profile_models() { # name of the results, options of profile-kv
    local name=$1
    shift
    is_done "$name" "out/profile/$name.json" "$@" "$files" && return
    into "out/profile/$name.json" build/attnbench profile-kv "$@" --format json
    stamp "$name"
}

profile() {
    begin "models on speech ($data, $split)"
    mkdir -p out/profile
    local whole=() streams=() words=(--data "$data" --split "$split") config all files
    for config in configs/attention/*.yaml configs/{conformer,branchformer}_{mha,mla}.yaml; do
        whole+=(--config "$config")
    done
    for config in configs/streaming/conformer_{mha,mla}.yaml; do
        streams+=(--config "$config")
    done
    all=$(find "$data/$split" -name '*.flac' | wc -l)
    if [ "$utterances" != all ] && [ "$utterances" -lt "$all" ]; then
        words+=(--limit "$utterances")
        echo "   the first $utterances of $all utterances; ATTNBENCH_UTTERANCES=all takes all of them"
    fi
    files=$(find "$data/$split" -name '*.flac' -printf '%P %s %T@\n' | sort)
    profile_models speech "${whole[@]}" "${words[@]}"
    profile_models stream "${streams[@]}" --chunk 16 "${words[@]}"
    finish
}

# The main page, of all that was measured.
page() { # what the sweep wrote
    begin "report"
    local study=()
    [ ! -e out/study/study.json ] || study=(--study out/study)
    build/attnbench report "$1" --out out/report --profile out/profile/speech.json \
        --profile out/profile/stream.json --paper out/paper/paper.json \
        --tradeoff out/tradeoff.json "${study[@]}"
    finish
}

# Where there is a main page already: it shows the study too, next to the newest results.
page_again() {
    local results="" file
    [ -e out/report/index.html ] || return 0
    for file in out/quick.json out/full.json; do
        if [ -e "$file" ] && [ ! "$results" -nt "$file" ]; then results=$file; fi
    done
    [ -z "$results" ] || page "$results"
}

everything() { # plan
    check_speech
    set_up run
    begin "build"
    logged build make -j"${JOBS:-$(nproc)}"
    finish
    begin "check: every implementation against its reference"
    if ! is_done verify out/logs/verify.log; then
        logged verify build/attnbench verify
        stamp verify
    fi
    finish
    speech
    profile
    begin "the paper's tables"
    if ! is_done paper out/paper/paper.json; then
        build/attnbench paper --live --out out/paper
        stamp paper
    fi
    finish
    begin "smaller latents: what they cost in accuracy, at the paper's geometries"
    if ! is_done tradeoff out/tradeoff.json; then
        into out/tradeoff.json build/attnbench analyze --paper --format json 2>out/logs/tradeoff.log ||
            stop "analyze --paper failed: see out/logs/tradeoff.log"
        stamp tradeoff
    fi
    finish
    begin "sweep: plan $1"
    local swept=0 spent
    build/attnbench sweep --plan "$1" --out "out/$1.json" --replace || swept=$?
    # 1: some cases failed their check. The rest is whole, and the report says which failed.
    [ "$swept" -le 1 ] || exit "$swept"
    finish
    page "out/$1.json"
    [ "$swept" -eq 0 ] || echo "run_all.sh: some cases of the sweep failed; the report names them" >&2
    printf -v spent '%s, ' "${times[@]}"
    echo "All done in $SECONDS s (${spent%, }). The page: $PWD/out/report/index.html"
    exit "$swept"
}

# Speech to train on, and which plan.
study_speech() {
    [ -z "${ATTNBENCH_SPEECH:-}" ] || return 0
    begin "speech to train on"
    local words=(40 digits)
    [ "$plan" = quick ] || words=(90 mixed)
    data=out/study-speech-${words[1]}
    attached datasets/make_corpus.sh --training "$data" "${words[@]}"
    echo "   synthetic speech in $data; ATTNBENCH_SPEECH=DIR takes real speech"
    finish
}

run_study() {
    plan=${ATTNBENCH_PLAN:-quick} data=${ATTNBENCH_SPEECH:-}
    [ -z "$data" ] || [ -d "$data" ] || stop "ATTNBENCH_SPEECH=$data: no such folder"
    set_up study
    begin "build"
    logged build make -j"${JOBS:-$(nproc)}"
    finish
    study_speech
    begin "study: plan $plan"
    local studied=0 spent
    attached build/attnbench study --plan "$plan" --data "$data" --out out/study || studied=$?
    [ "$studied" -le 1 ] || exit "$studied"
    finish
    page_again
    printf -v spent '%s, ' "${times[@]}"
    echo "All done in $SECONDS s (${spent%, }). The page: $PWD/out/study/index.html"
    exit "$studied"
}

# Runs a command that ends when this script does, however it ends.
attached() {
    setpriv --pdeathsig TERM "$@" &
    wait $!
}

# Tools that check the report's page; without them that test says what it skipped.
set_up_page() {
    (set_up page) || echo "   going on without"
    [ -s build/axe/node_modules/axe-core/axe.min.js ] || ! command -v npm >/dev/null || logged axe timeout 120 make axe ||
        echo "   axe-core could not be fetched; going on without"
}

run_tests() {
    set_up test
    [ -z "${CI:-}" ] || set_up_page
    begin "make test"
    attached make -j"${JOBS:-$(nproc)}" test
    finish
}

run_pmu_tests() {
    # make test-pmu itself says what is missing, and that it was skipped.
    (set_up pmu) || echo "   going on without"
    begin "make test-pmu"
    attached make -j"${JOBS:-$(nproc)}" test-pmu
    finish
}

run_slurm_tests() {
    set_up run
    begin "make test-slurm"
    attached make -j"${JOBS:-$(nproc)}" test-slurm
    finish
}

[ $# -le 1 ] || stop "one word at most, not: $* (see --help)"
case "${1-}" in
"") everything quick ;;
--full) everything full ;;
study) run_study ;;
test) run_tests ;;
test-pmu) run_pmu_tests ;;
test-slurm) run_slurm_tests ;;
-h | --help) usage ;;
*) stop "$1: expected nothing, test, test-pmu, test-slurm, study, --full or --help" ;;
esac
