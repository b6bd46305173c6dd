#!/usr/bin/env bash
# Bad input is refused: exit status 2, one line on stderr that says what is wrong, no file made or changed.
# Each folder of tests/bad is one case; tests/bad/README.md says what is in it.
set -u
cd "$(dirname "$0")/../.."
ROOT=$PWD
export ROOT
: "${ATTNBENCH:=$ROOT/build/attnbench}"
. tests/bad/helpers.sh

commands=$("$ATTNBENCH" --help) || { echo "$ATTNBENCH does not run"; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0 run=0

mkdir "$scratch/good"
(cd "$scratch/good" && good_model)

listing() { # every file below the working folder with its checksum
    find . ! -type p ! -type f -printf '%p %y\n' -o -type p -printf '%p %y\n' -o -type f -exec cksum {} + | sort
}

case_file() { # case, file, what stands for it when there is none
    if [ -e "$ROOT/tests/bad/$1/$2" ]; then cat "$ROOT/tests/bad/$1/$2"; else printf '%s' "$3"; fi
}

fault() {
    echo "[  FAILED  ] $1: $2"
    failed=$((failed + 1))
}

check() { # case
    local name=$1 line needs wanted setup status fragment before
    line=$(case_file "$name" cmd 'forward --config config.yaml --weights weights.safetensors --input input.npy --output output.npy')
    wanted=$(case_file "$name" status 2)
    needs=$(case_file "$name" needs "${line%% *}")
    if [ -n "$needs" ] && ! grep -q "^  $needs " <<<"$commands"; then
        echo "[  SKIPPED ] $name: there is no command $needs"
        return
    fi
    cp -r "$scratch/good" "$scratch/case"
    cp -r "tests/bad/$name/." "$scratch/case"
    rm -f "$scratch/case"/{cmd,stderr,setup,status,needs,environment}
    setup=$(case_file "$name" setup :)
    (cd "$scratch/case" || exit; set -e; eval "$setup")
    status=$? # apart from the test of it, which would switch set -e off
    if [ "$status" -ne 0 ]; then
        fault "$name" "its setup failed"
        rm -rf "$scratch/case"
        return
    fi
    before=$(cd "$scratch/case" && listing)
    (cd "$scratch/case" && eval "set -- $line" && exec env $(case_file "$name" environment "") timeout 60 "$ATTNBENCH" "$@") \
        >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    status=$?
    run=$((run + 1))
    if [ "$status" -ne "$wanted" ]; then
        fault "$name" "exit status $status, expected $wanted: $(head -c 2000 "$scratch/stderr")"
    elif [ "$wanted" -ne 0 ] && [ "$(wc -l <"$scratch/stderr")" -ne 1 ]; then
        fault "$name" "expected one line on stderr: $(head -c 2000 "$scratch/stderr")"
    elif [ "$wanted" -ne 0 ] && [ "$(cd "$scratch/case" && listing)" != "$before" ]; then
        fault "$name" "files were left behind: $(cd "$scratch/case" && ls -C)"
    else
        while IFS= read -r fragment; do
            grep -qF -- "$fragment" "$scratch/stderr" && continue
            fault "$name" "'$(cat "$scratch/stderr")' does not say '$fragment'"
            rm -rf "$scratch/case"
            return
        done < <(case_file "$name" stderr "")
        echo "[       OK ] $name"
    fi
    rm -rf "$scratch/case"
}

for folder in tests/bad/*/; do
    check "$(basename "$folder")"
done
echo "$run cases run, $failed failed"
[ "$failed" -eq 0 ]
