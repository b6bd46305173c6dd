#!/usr/bin/env bash
# Runs every test program and test script of one build; ends with "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.."
build=${BUILD:-build}
export ATTNBENCH=$PWD/$build/attnbench
export OPENBLAS_NUM_THREADS=1
passed=0 failed=0 skipped=0

run() {
    local name=$1
    shift
    local log
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then
        local ok skip
        ok=$(grep -c '^\[       OK ] ' "$log")
        skip=$(grep -c '^\[  SKIPPED ] .*[a-z]' "$log")
        echo "ok    $name ($ok tests$([ "$skip" -gt 0 ] && echo ", $skip skipped"))"
        passed=$((passed + ok)) skipped=$((skipped + skip))
    else
        echo "FAIL  $name"
        cat "$log"
        failed=$((failed + 1))
    fi
    rm -f "$log"
}

for program in tests/test_*.c; do
    name=$(basename "$program" .c)
    run "$name" "$build/tests/$name"
done
for script in tests/test_*.sh; do
    [ -e "$script" ] && run "$(basename "$script")" "$script"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
