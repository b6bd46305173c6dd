# For steps of make that count what they check, sourced: conclude, skip_all, fail_all, check. `step` is its name.
# shellcheck shell=bash disable=SC2154 # step is the caller's
passed=0 failed=0 skipped=0

conclude() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] || exit 1
    [ "$passed" -gt 0 ] || exit 3
    exit 0
}

skip_all() {
    echo "[  SKIPPED ] $step: $*"
    skipped=1
    conclude
}

fail_all() {
    echo "[  FAILED  ] $step: $*"
    failed=1
    conclude
}

check() { # what command...
    local what=$1
    shift
    if "$@"; then
        echo "[       OK ] $what"
        passed=$((passed + 1))
    else
        echo "[  FAILED  ] $what"
        failed=$((failed + 1))
    fi
}
