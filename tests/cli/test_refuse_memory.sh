#!/usr/bin/env bash
# A few allocations of each command refused: no crash, no waiting, a message. tests/refuse_memory.sh does all of them.
# Runs once: a sanitizer owns malloc.
. "$(dirname "$0")/../support/check.sh"

if nm "$ATTNBENCH" 2>/dev/null | grep -q __asan_init || ! command -v cc >/dev/null; then
    echo "[  SKIPPED ] refused memory: a sanitizer owns malloc, or there is no compiler"
    exit 0
fi
RUNS=1 tests/refuse_memory.sh
