# For test scripts, sourced: the program under test, a scratch folder, and `check`. End with `exit $failed`.
# shellcheck shell=bash
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
: "${ATTNBENCH:=$PWD/build/attnbench}"
export ATTNBENCH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

check() { # what is checked, command... that leaves what it printed in $scratch/out and $scratch/err
    local name=$1
    shift
    if "$@"; then
        echo "[       OK ] $name"
    else
        echo "[  FAILED  ] $name"
        sed 's/^/    /' "$scratch/out" "$scratch/err" 2>/dev/null | head -n 60
        failed=1
    fi
}

terminated() { # pid, file: the process gets SIGTERM once the file is there and not empty, and ends by it
    local i
    for ((i = 0; i < 600; i++)); do
        [ -s "$2" ] && break
        sleep 0.1
    done
    kill -TERM "$1"
    wait "$1"
    [ $? -eq 143 ] && [ -s "$2" ]
}
