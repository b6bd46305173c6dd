#!/usr/bin/env bash
# run_all.sh reports in one line what it can't do, before it installs or builds anything. After a study it writes the main
# page again where there is one.
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

# A tree whose program notes its words.
tree=$scratch/tree
mkdir -p "$tree/build"
cp run_all.sh "$tree"
: >"$tree/packages.txt"
printf 'all:\n' >"$tree/Makefile"
cat >"$tree/build/attnbench" <<'END'
#!/bin/sh
echo "$*" >>words
[ "$1" != study ] || { mkdir -p out/study && echo '{}' >out/study/study.json; }
END
chmod +x "$tree/build/attnbench"

studied() { # name, how often the page is written, what its words have
    rm -rf "$tree/words" "$tree/out/study"
    if ATTNBENCH_SPEECH="$scratch/silent" "$tree/run_all.sh" study >"$scratch/out" 2>&1 && [ "$(grep -c '^report ' "$tree/words")" -eq "$2" ] &&
        grep '^report ' "$tree/words" | grep -cF -- "$3" | grep -qx "$2"; then
        echo "[       OK ] $1"
    else
        echo "[  FAILED  ] $1: $(cat "$scratch/out" "$tree/words")"
        failed=1
    fi
}
studied "a study where there is no main page" 0 ""
mkdir -p "$tree/out/report"
: >"$tree/out/report/index.html"
echo '{}' >"$tree/out/quick.json"
studied "a study shows on the main page that is there" 1 "report out/quick.json --out out/report "
studied "with its results" 1 "--study out/study"
touch -d '1 hour ago' "$tree/out/quick.json"
echo '{}' >"$tree/out/full.json"
studied "next to the newest results" 1 "report out/full.json "
# README and --help give the same time.
help=$(./run_all.sh --help | grep -m 1 -o '[0-9]* minutes on two cores')
if [ -n "$help" ] && grep -q "^./run_all.sh  .*$help" README.md; then
    echo "[       OK ] README and --help say the same time"
else
    echo "[  FAILED  ] --help says $help, and README another time"
    failed=1
fi

exit $failed
