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
    if "$@" >"$log" 2>&1 </dev/null; then
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

while read -r program; do
    run "$(basename "$program" .c)" "$build/${program%.c}"
done < <(find tests -name 'test_*.c' | sort)
while read -r script; do
    run "$(basename "$script")" "$script"
done < <(find tests -name 'test_*.sh' -not -path 'tests/pmu/*' | sort)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
