#!/usr/bin/env bash
# run_all.sh says at once, in one line, what it can't do: before it installs or builds anything.
# Runs once: nothing that is built is run.
set -u
cd "$(dirname "$0")/.." || exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

refused() { # name, what the line says, run_all.sh's words; variables by env
    local name=$1 says=$2 status
    shift 2
    env "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
    if [ "$status" -eq 2 ] && [ ! -s "$scratch/out" ] && [ "$(wc -l <"$scratch/err")" -eq 1 ] && grep -qF -- "$says" "$scratch/err"; then
        echo "[       OK ] $name"
    else
        echo "[  FAILED  ] $name: status $status, $(cat "$scratch/out" "$scratch/err")"
        failed=1
    fi
}

mkdir -p "$scratch/none" "$scratch/silent/test/1"
refused "speech that is not there" "$scratch/nowhere: no such folder" ATTNBENCH_SPEECH="$scratch/nowhere" ./run_all.sh
refused "speech without a split" "no split" ATTNBENCH_SPEECH="$scratch/none" ./run_all.sh
refused "a split that is not there" 'no split "dev" in it' ATTNBENCH_SPEECH="$scratch/silent" ATTNBENCH_SPLIT=dev ./run_all.sh
refused "a split without speech" "test: no .flac file in it" ATTNBENCH_SPEECH="$scratch/silent" ./run_all.sh --full
refused "utterances that are no number" "ATTNBENCH_UTTERANCES=0: expected" ATTNBENCH_UTTERANCES=0 ./run_all.sh
refused "a word that it does not know" "expected nothing, test" ./run_all.sh quick
refused "two words" "one word at most" ./run_all.sh test run
exit $failed
