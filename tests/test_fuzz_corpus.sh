#!/usr/bin/env bash
# Every fuzz target over its seeds, each seed cut at every length and with every bit flipped. Starts early.
set -u
cd "$(dirname "$0")/.." || exit
build=${BUILD:-build} failed=0
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    if said=$("$build/tests/fuzz/$name" "tests/fuzz/corpus/${name#fuzz_}" 2>&1); then
        echo "[       OK ] $name: $said"
    else
        echo "[  FAILED  ] $name: $said"
        failed=1
    fi
done
exit $failed
