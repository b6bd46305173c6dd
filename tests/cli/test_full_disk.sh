#!/usr/bin/env bash
# Results that cannot be written: exit status 2 and one line, from commands that print them, in each of their formats.
set -u
cd "$(dirname "$0")/../.." || exit
: "${ATTNBENCH:=$PWD/${BUILD:-build}/attnbench}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

full() { # arguments of attnbench
    "$ATTNBENCH" "$@" >/dev/full 2>"$work/err" </dev/null
    local status=$?
    if [ "$status" -ne 2 ] || [ "$(wc -l <"$work/err")" -ne 1 ] || ! grep -q "cannot be written" "$work/err"; then
        echo "$*: exit status $status, expected 2 and one line:"
        cat "$work/err"
        exit 1
    fi
    echo "[       OK ] $*"
}

full --help
full info --format md
full info --format json
full paper
full paper --format json
full paper --format csv
full counters list
full counters list --format json
full counters groups
full counters events
full sweep --plan quick --list
full verify --draws 1
full verify --draws 1 --format json
full profile-kv --config configs/attention/mla.yaml --seq-len 10
full profile-kv --config configs/attention/mla.yaml --seq-len 10 --format json
full summary tests/data/results_sample.json
full summary tests/data/results_sample.json --format md
full compare tests/data/results_sample.json tests/data/results_sample.json
full compare tests/data/results_sample.json tests/data/results_sample.json --format json
full compare tests/data/results_sample.json tests/data/results_sample.json --format csv
