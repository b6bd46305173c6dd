#!/usr/bin/env bash
# What shares work with threads, under ThreadSanitizer (make tsan-programs builds it, next to the plain build).
set -u
cd "$(dirname "$0")/../../.." || exit
program=${BUILD:-build}-tsan/tests/races
if [ ! -x "$program" ]; then
    echo "[  SKIPPED ] data races: no $program"
    exit 0
fi
OPENBLAS_NUM_THREADS=1 TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}" "$program"
