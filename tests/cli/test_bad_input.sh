#!/usr/bin/env bash
# Bad input is refused: exit status 2, one line on stderr that says what is wrong, nothing on stdout, no file made or
# changed. Each folder of tests/bad is one case; tests/bad/README.md says what is in it. Starts early.
set -u
cd "$(dirname "$0")/../.." || exit
ROOT=$PWD
export ROOT
: "${ATTNBENCH:=$ROOT/build/attnbench}"
. tests/bad/helpers.sh

commands=$("$ATTNBENCH" --help) || { echo "$ATTNBENCH does not run"; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
export RESULTS=$scratch/results.json
declare -A faults statuses changes
forward='forward --config config.yaml --weights weights.safetensors --input input.npy --output output.npy'

# The text of a case's file, or what stands for it when there is none, into a variable.
case_file() { # variable, case, file, text instead
    printf -v "$1" '%s' "$4"
    [ ! -e "$ROOT/tests/bad/$2/$3" ] || read -r -d '' "$1" <"$ROOT/tests/bad/$2/$3" || true
}

# A results file: the start of a larger one, as most cases are refused for another reason, but after it was read.
small_results() {
    sed 108q "$ROOT/tests/data/results_sample.json" | sed '$s/,$//'
    echo ']}'
}

# A folder for each case: its inputs, and of the good model what is not among them.
lay_out() {
    local file folder
    mkdir "$scratch/good" "$scratch/cases" "$scratch/out"
    cp -r tests/bad/*/ "$scratch/cases"
    find "$scratch/cases" -mindepth 2 -maxdepth 2 '(' -name cmd -o -name stderr -o -name stdout -o -name setup -o -name status \
        -o -name needs -o -name environment ')' -delete
    cd "$scratch/good" && good_model
    for file in *; do
        # shellcheck disable=SC2046
        printf -v bytes '\\%s' $(od -An -v -to1 "$file")
        for folder in "$scratch"/cases/*; do
            # shellcheck disable=SC2059
            [ -e "$folder/$file" ] || printf "$bytes" >"$folder/$file"
        done
    done
}

set_up() { # case
    local setup
    case_file setup "$1" setup ""
    [ -n "$setup" ] || return
    (cd "$scratch/cases/$1" && set -e && eval "$setup")
    [ $? -eq 0 ] || faults[$1]="its setup failed" # apart, as a test of it would switch set -e off
}

listing() { # folders, and files with their kind, size and the time that they were written
    (cd "$scratch/cases" && find . -type d -printf '%p\n' -o -printf '%p %y %s %T@\n') | sort
}

request() { # case: what tests/bad/run_cases.c reads of it
    local line environment
    case_file line "$1" cmd "$forward"
    case_file environment "$1" environment ""
    # shellcheck disable=SC2086
    set -- "$scratch/cases/$1" "$line" $environment
    printf '%s\0' "$1" $(($# - 2)) "${@:3}"
    eval "set -- attnbench $line"
    printf '%s\0' $# "$@"
}

judge() { # case: its fault, if it has one
    local status=${statuses[$1]:-none} wanted printed fragments fragment said
    case_file wanted "$1" status 2
    case_file printed "$1" stdout ""
    case_file fragments "$1" stderr ""
    mapfile -n 20 said <"$scratch/out/$1.stderr"
    if [ "$status" != "$wanted" ]; then
        faults[$1]="exit status $status, expected $wanted: ${said[*]}"
    elif [ "$wanted" -ne 0 ] && [[ ${#said[@]} -ne 1 || ${said[0]} != *$'\n' ]]; then
        faults[$1]="expected one line on stderr: ${said[*]}"
    elif [ "$wanted" -eq 2 ] && [ -z "$printed" ] && [ -s "$scratch/out/$1.stdout" ]; then
        faults[$1]="expected nothing on stdout: $(head -n 3 "$scratch/out/$1.stdout")"
    elif [ -n "$printed" ] && ! grep -qF -- "$printed" "$scratch/out/$1.stdout"; then
        faults[$1]="stdout does not say '$printed': $(head -n 3 "$scratch/out/$1.stdout")"
    elif [ "$wanted" -ne 0 ] && [ -n "${changes[$1]:-}" ]; then
        faults[$1]="files were left behind or changed:${changes[$1]}"
    else
        while IFS= read -r fragment; do
            [[ ${said[*]} == *"$fragment"* ]] || faults[$1]+="'${said[*]}' does not say '$fragment'"
        done <<<"$fragments"
    fi
}

names=()
for folder in tests/bad/*/; do
    name=${folder#tests/bad/} name=${name%/}
    case_file line "$name" cmd "$forward"
    case_file needs "$name" needs "${line%% *}"
    if [[ -n $needs && $commands != *$'\n'"  $needs "* ]]; then
        echo "[  SKIPPED ] $name: there is no command $needs"
    else
        names+=("$name")
    fi
done

lay_out
small_results >"$RESULTS"
for name in "${names[@]}"; do set_up "$name"; done
listing >"$scratch/before"
for name in "${names[@]}"; do request "$name"; done >"$scratch/requests"
"${ATTNBENCH%/*}/attnbench_bad" --cases "$scratch/requests" "$scratch/out" >"$scratch/statuses"
while read -r name status; do statuses[$name]=$status; done <"$scratch/statuses"
while IFS=/ read -r _ name rest; do changes[$name]+=" $rest"; done < <(listing | comm -3 "$scratch/before" - | tr -d '\t')

for name in "${names[@]}"; do
    [ -n "${faults[$name]:-}" ] || judge "$name"
    if [ -z "${faults[$name]:-}" ]; then
        echo "[       OK ] $name"
    else
        echo "[  FAILED  ] $name: ${faults[$name]}"
        failed=$((failed + 1))
    fi
done
echo "${#names[@]} cases run, $failed failed"
[ "$failed" -eq 0 ]
