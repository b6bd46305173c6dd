#!/usr/bin/env bash
# Bad input is refused: exit status 2, one line on stderr that says what is wrong, no file made or changed.
# Each folder of tests/bad is one case; tests/bad/README.md says what is in it. Starts early.
set -u
cd "$(dirname "$0")/../.." || exit
ROOT=$PWD
export ROOT
: "${ATTNBENCH:=$ROOT/build/attnbench}"
. tests/bad/helpers.sh

commands=$("$ATTNBENCH" --help) || { echo "$ATTNBENCH does not run"; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0 run=0
forward='forward --config config.yaml --weights weights.safetensors --input input.npy --output output.npy'

mkdir "$scratch/good"
(cd "$scratch/good" && good_model)

listing() { # folders below the working folder, and files with their kind, size and the time that they were written
    find . -type d -printf '%p\n' -o -printf '%p %y %s %T@\n'
}

# The text of a case's file, or what stands for it when there is none, into a variable.
case_file() { # variable, case, file, text instead
    printf -v "$1" '%s' "$4"
    [ ! -e "$ROOT/tests/bad/$2/$3" ] || read -r -d '' "$1" <"$ROOT/tests/bad/$2/$3" || true
}

# Sets inputs, the case's files that go to its folder.
find_inputs() { # case
    local file
    inputs=()
    for file in "$ROOT/tests/bad/$1"/*; do
        case ${file##*/} in cmd | stderr | setup | status | needs | environment) ;; *) inputs+=("$file") ;; esac
    done
}

# The good model and what else is in the case's folder. What a case left as it was serves the next one.
unused= # the listing of the folder that the last case left as it was, where it is the good model's and no more
lay_out() {
    [ -z "$unused" ] || [ ${#inputs[@]} -gt 0 ] || return 0
    unused=
    rm -rf "$scratch/case"
    cp -r "$scratch/good" "$scratch/case"
    [ ${#inputs[@]} -eq 0 ] || cp -r "${inputs[@]}" "$scratch/case"
}

run_case() { # environment, words of the command as a shell reads them
    eval "set -- \"\$1\" $2"
    # shellcheck disable=SC2086
    [ -z "$1" ] || exec env $1 timeout 60 "$ATTNBENCH" "${@:2}"
    exec timeout 60 "$ATTNBENCH" "${@:2}"
}

# Runs the case in its folder; sets fault to what is wrong with it.
find_fault() { # case
    local name=$1 line wanted setup environment fragments status before after said fragment
    case_file line "$name" cmd "$forward"
    case_file wanted "$name" status 2
    case_file setup "$name" setup ""
    case_file environment "$name" environment ""
    case_file fragments "$name" stderr ""
    fault=
    cd "$scratch/case" || return
    before=$unused unused=
    if [ -n "$setup" ]; then
        before=
        (set -e; eval "$setup")
        [ $? -eq 0 ] || { fault="its setup failed"; return; } # apart, as a test of it would switch set -e off
    fi
    [ -n "$before" ] || before=$(listing)
    (run_case "$environment" "$line") >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    status=$?
    after=$(listing)
    mapfile -n 20 said <"$scratch/stderr"
    if [ "$status" -ne "$wanted" ]; then
        fault="exit status $status, expected $wanted: ${said[*]}"
    elif [ "$wanted" -ne 0 ] && [[ ${#said[@]} -ne 1 || ${said[0]} != *$'\n' ]]; then
        fault="expected one line on stderr: ${said[*]}"
    elif [ "$wanted" -ne 0 ] && [ "$after" != "$before" ]; then
        fault="files were left behind or changed: $(ls -C)"
    elif [ -n "$fragments" ]; then
        while IFS= read -r fragment; do
            [[ ${said[*]} == *"$fragment"* ]] || fault+="'${said[*]}' does not say '$fragment'"
        done <<<"$fragments"
    fi
    [ -n "$setup" ] || [ ${#inputs[@]} -gt 0 ] || [ "$after" != "$before" ] || unused=$after
}

check() { # case
    local name=$1 line needs fault inputs
    cd "$ROOT" || exit
    case_file line "$name" cmd "$forward"
    case_file needs "$name" needs "${line%% *}"
    if [[ -n $needs && $commands != *$'\n'"  $needs "* ]]; then
        echo "[  SKIPPED ] $name: there is no command $needs"
        return
    fi
    find_inputs "$name"
    lay_out
    find_fault "$name"
    run=$((run + 1))
    if [ -z "$fault" ]; then
        echo "[       OK ] $name"
    else
        echo "[  FAILED  ] $name: $fault"
        failed=$((failed + 1))
    fi
}

for folder in tests/bad/*/; do
    folder=${folder%/}
    check "${folder##*/}"
done
echo "$run cases run, $failed failed"
[ "$failed" -eq 0 ]
