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
    [ ! -e "tests/bad/$2/$3" ] || read -r -d '' "$1" <"tests/bad/$2/$3" || true
}

# The good model and what else is in the case's folder.
lay_out() { # case
    local file
    local -a inputs=()
    for file in "tests/bad/$1"/*; do
        case ${file##*/} in cmd | stderr | setup | status | needs | environment) ;; *) inputs+=("$file") ;; esac
    done
    cp -r "$scratch/good" "$scratch/case"
    [ ${#inputs[@]} -eq 0 ] || cp -r "${inputs[@]}" "$scratch/case"
}

# Runs the case in its folder; prints what is wrong with it.
fault_of() { # case
    local name=$1 line wanted setup environment fragments status before said fragment
    case_file line "$name" cmd "$forward"
    case_file wanted "$name" status 2
    case_file setup "$name" setup :
    case_file environment "$name" environment ""
    case_file fragments "$name" stderr ""
    (cd "$scratch/case" || exit; set -e; eval "$setup")
    [ $? -eq 0 ] || { echo "its setup failed"; return; } # apart, as a test of it would switch set -e off
    cd "$scratch/case" || return
    before=$(listing)
    # shellcheck disable=SC2086
    (eval "set -- $line" && exec env $environment timeout 60 "$ATTNBENCH" "$@") >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    status=$?
    mapfile -n 20 said <"$scratch/stderr"
    if [ "$status" -ne "$wanted" ]; then
        echo "exit status $status, expected $wanted: ${said[*]}"
    elif [ "$wanted" -ne 0 ] && [[ ${#said[@]} -ne 1 || ${said[0]} != *$'\n' ]]; then
        echo "expected one line on stderr: ${said[*]}"
    elif [ "$wanted" -ne 0 ] && [ "$(listing)" != "$before" ]; then
        echo "files were left behind or changed: $(ls -C)"
    elif [ -n "$fragments" ]; then
        while IFS= read -r fragment; do
            [[ ${said[*]} == *"$fragment"* ]] || echo "'${said[*]}' does not say '$fragment'"
        done <<<"$fragments"
    fi
}

check() { # case
    local name=$1 line needs fault
    case_file line "$name" cmd "$forward"
    case_file needs "$name" needs "${line%% *}"
    if [[ -n $needs && $commands != *$'\n'"  $needs "* ]]; then
        echo "[  SKIPPED ] $name: there is no command $needs"
        return
    fi
    lay_out "$name"
    fault=$(fault_of "$name")
    rm -rf "$scratch/case"
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
