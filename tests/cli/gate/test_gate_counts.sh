#!/usr/bin/env bash
# The gate by simulated instructions: the same on every run, and 1% more is seen. Starts early.
. "$(dirname "$0")/../../support/check.sh"
. "$(dirname "$0")/fake.sh"

attnbench() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

says() { # text in file
    grep -qF -- "$1" "$scratch/$2"
}

cat >"$scratch/tiny.yaml" <<'END'
cases: [attention/mla/decode/L:64/h:2/d:64/dc:32, attention/linear/decode/L:32/h:2/d:64]
END
by_count=(--plan "$scratch/tiny.yaml" --metric instructions)

mkdir "$scratch/empty"
check "without valgrind: 3" env PATH="$scratch/empty" "$BASH" -c '
    "$1" gate --base "$1" --candidate "$1" --metric instructions >"$2/out" 2>"$2/err"; [ $? -eq 3 ]' - "$ATTNBENCH" "$scratch"
check "without valgrind: one line says why" [ "$(grep -cE "valgrind is not installed|valgrind's headers|sanitizers" \
    "$scratch/err") $(wc -l <"$scratch/err")" = "1 1" ]

if ! command -v valgrind >/dev/null || "$ATTNBENCH" info | grep -q fsanitize ||
    ! grep -q "not installed" "$scratch/err"; then
    echo "[  SKIPPED ] instructions: no valgrind, or a build that it cannot run"
    exit $failed
fi

# From another folder, by a relative name and under another name: none of that may count.
cp "$ATTNBENCH" "$scratch/a-candidate-with-a-longer-name"
check "the same program: 0" eval '(cd "$scratch" && ATTNBENCH_HOME=$OLDPWD "$ATTNBENCH" gate "${by_count[@]}" --base "$ATTNBENCH" \
    --candidate ./a-candidate-with-a-longer-name --format csv >out 2>err)'
check "the same program: exactly the same counts" awk -F, 'NR > 1 { n++; if ($4 != $5 || $6 != 0 || $4 < 1000) bad = 1 }
    END { exit bad || n != 2 }' "$scratch/out"
check "the same program: cache and peak memory are the same" [ "$(grep -c ',SAME,UNKNOWN,SAME,' "$scratch/out")" -eq 2 ]
check "1% more is found, and nothing else" attnbench 0 selftest "${by_count[@]}" --rounds 1 --format csv
check "no false alarm" says "no slow-down: runs with a false alarm,1,0,0," out
check "1% is found" says "one case 1% slower: found,1,1,1," out
check "and nothing else" says "one case 1% slower: runs with a false alarm,1,0,0," out
check "stored results have no program to count: 2" attnbench 2 gate "${by_count[@]}" \
    --base tests/data/results_sample.json --candidate "$ATTNBENCH"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$ATTNBENCH" >"$scratch/script"
chmod +x "$scratch/script"
check "a program that does not count under valgrind: 3, not a pass" attnbench 3 gate "${by_count[@]}" --base "$ATTNBENCH" \
    --candidate "$scratch/script" --filter mla
check "said so" says "it counts no instructions" out
for side in base candidate; do copy_fake "$scratch/$side"; done
echo "victim=mla behave=missing" >"$scratch/base.conf"
echo "victim=mla behave=wrong" >"$scratch/candidate.conf"
check "a case that only the candidate has, and that fails there: 1" attnbench 1 gate "${by_count[@]}" --base "$scratch/base" \
    --candidate "$scratch/candidate" --filter mla
check "only there and failed: named" says "**CANDIDATE FAILED**" out
exit $failed
