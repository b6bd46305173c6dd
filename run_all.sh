#!/usr/bin/env bash
# From a clean clone to the report, or to the tests. Does all of its own set-up. See --help.
set -euo pipefail
if [ -n "${ATTNBENCH_SPEECH:-}" ]; then
    ATTNBENCH_SPEECH=$(realpath -m "$ATTNBENCH_SPEECH") # given from where the user stands
fi
cd "$(dirname "$0")"
export LC_ALL=C.UTF-8

usage() {
    cat <<'END'
./run_all.sh           set up, build, check, measure the quick plan and write the report (about 5 minutes on two cores)
./run_all.sh --full    the same with the long plan (hours)
./run_all.sh test      set up, then make test
./run_all.sh test-pmu  set up, then make test-pmu: hardware counters, on emulated machines that have them
./run_all.sh --help    this

Everything goes below out/ and build/. An interrupted run goes on where it stopped when it is started again.
Missing Debian packages (packages.txt) are installed when root or password-less sudo is there; otherwise the command is printed.

ATTNBENCH_SPEECH=DIR   a corpus in LibriSpeech's layout (default: a small synthetic one, made with espeak-ng)
ATTNBENCH_SPLIT=NAME   its split (default: the first)
JOBS=N                 compilers at once (default: as many as there are CPUs)
Exit status: 0 fine; 1 a check failed; 2 something is missing or a step could not be done.
END
}

stop() {
    echo "run_all.sh: $*" >&2
    exit 2
}

step=
begin() {
    step=$1
    started=$SECONDS
    echo "== $step"
}
finish() {
    echo "   $step: done in $((SECONDS - started)) s"
    step=
}
at_exit() {
    local status=$?
    if [ "$status" -ne 0 ] && [ -n "$step" ]; then
        echo "run_all.sh: stopped in step \"$step\" (status $status). Started again, it goes on from there." >&2
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

missing_packages() { # run|test|pmu
    local who package
    while read -r who package; do
        [ "$who" = run ] || [ "$who" = "$1" ] || continue
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done < <(grep -v '^#' packages.txt)
}

set_up() { # run|test|pmu
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

speech() { # sets data, split
    begin "speech"
    data=${ATTNBENCH_SPEECH:-out/speech}
    if [ -z "${ATTNBENCH_SPEECH:-}" ]; then
        logged speech datasets/make_corpus.sh "$data"
        echo "   synthetic speech (espeak-ng) in $data; ATTNBENCH_SPEECH=DIR takes real speech"
    elif [ ! -d "$data" ]; then
        stop "ATTNBENCH_SPEECH=$data: no such folder"
    fi
    split=${ATTNBENCH_SPLIT:-$(find "$data" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | head -n 1)}
    [ -n "$split" ] && [ -d "$data/$split" ] || stop "$data: no split \"$split\" in it (ATTNBENCH_SPLIT names one)"
    finish
}

profile() {
    begin "cache and speed on speech ($data, $split)"
    mkdir -p out/profile
    local config type
    for config in configs/attention/*.yaml; do
        type=$(basename "$config" .yaml)
        build/attnbench profile-kv --config "$config" --data "$data" --split "$split" --format json \
            >"out/profile/$type.json.new"
        mv "out/profile/$type.json.new" "out/profile/$type.json"
        echo "   $type: out/profile/$type.json"
    done
    finish
}

everything() { # plan
    set_up run
    begin "build"
    logged build make -j"${JOBS:-$(nproc)}"
    finish
    begin "check: every implementation against its reference"
    logged verify build/attnbench verify
    finish
    speech
    profile
    begin "the paper's tables"
    build/attnbench paper --live --out out/paper
    finish
    begin "sweep: plan $1"
    local swept=0
    build/attnbench sweep --plan "$1" --out "out/$1.json" --replace || swept=$?
    # 1: some cases failed their check. The rest is whole, and the report says which failed.
    [ "$swept" -le 1 ] || exit "$swept"
    finish
    begin "report"
    build/attnbench report "out/$1.json" --out out/report
    finish
    [ "$swept" -eq 0 ] || echo "run_all.sh: some cases of the sweep failed; the report names them" >&2
    echo "All done in $SECONDS s. The page: $PWD/out/report/index.html"
    exit "$swept"
}

run_tests() {
    set_up test
    begin "make test"
    make -j"${JOBS:-$(nproc)}" test
    finish
}

run_pmu_tests() {
    # make test-pmu itself says what is missing, and that it was skipped.
    (set_up pmu) || echo "   going on without"
    begin "make test-pmu"
    make -j"${JOBS:-$(nproc)}" test-pmu
    finish
}

[ $# -le 1 ] || stop "one word at most, not: $* (see --help)"
case "${1-}" in
"") everything quick ;;
--full) everything full ;;
test) run_tests ;;
test-pmu) run_pmu_tests ;;
-h | --help) usage ;;
*) stop "$1: expected nothing, test, test-pmu, --full or --help" ;;
esac
