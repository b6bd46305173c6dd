#!/usr/bin/env bash
# history: results of a made-up program over "commits", one of which made a case slower. Starts early.
. "$(dirname "$0")/../../support/check.sh"
. "$(dirname "$0")/fake.sh"

history() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" history "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

cat >"$scratch/tiny.yaml" <<'END'
repetitions: 3
cases:
  - attention/mha/decode/L:8/h:2/d:8
  - attention/linear/decode/L:8/h:2/d:8
END
copy_fake "$scratch/fake"
export ATTNBENCH_CHILD=$scratch/fake
H=$scratch/h.jsonl

grow() { # from, to, slower by
    local i
    for ((i = $1; i <= $2; i++)); do
        echo "victim=linear slow=$3 seed=$i" >"$scratch/fake.conf"
        "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --out "$scratch/r.json" --restart >/dev/null 2>&1 &&
            history 0 add "$H" --results "$scratch/r.json" --commit "c$i" || return 1
    done
}
check "ten results" grow 1 10 0
check "six more, one case 7% slower" grow 11 16 7
check "a line each" [ "$(wc -l <"$H")" -eq 16 ]
check "show" history 0 show "$H" --format csv
check "one change, where it is" grep -qE '^attention/linear/[^,]*,c11,[^,]*,9?1?[0-9]+[^,]*,[^,]*,[67]\.' "$scratch/out"
check "and no other" [ "$(wc -l <"$scratch/out")" -eq 2 ]
check "none of the other case" history 0 show "$H" --filter mha --format csv
check "none: an empty table" [ "$(wc -l <"$scratch/out")" -eq 1 ]
check "changes below --min-change are left out" history 0 show "$H" --min-change 20% --format csv
check "left out" [ "$(wc -l <"$scratch/out")" -eq 1 ]
check "with plots" history 0 show "$H" --out "$scratch/page"
if command -v gnuplot >/dev/null; then
    check "a picture of each case" [ -s "$scratch/page/case_001.svg" -a -s "$scratch/page/case_002.svg" ]
    check "the page shows them" grep -q '(case_002.svg)' "$scratch/page/history.md"
else
    echo "[  SKIPPED ] pictures: gnuplot is not installed"
fi
mkdir "$scratch/bin"
without_gnuplot() {
    PATH=$scratch/bin "$ATTNBENCH" history show "$H" --out "$scratch/plain" >"$scratch/out" 2>"$scratch/err" &&
        [ -s "$scratch/plain/case_002.gp" ] && [ ! -e "$scratch/plain/case_002.svg" ]
}
check "without gnuplot: data and scripts" without_gnuplot
check "without gnuplot: says so" grep -q "gnuplot is missing" "$scratch/err"

check "the same results twice are refused" history 2 add "$H" --results "$scratch/r.json" --commit c16
check "refused: says where they are" grep -q "h.jsonl:16: has these results already" "$scratch/err"
cp "$H" "$scratch/second.jsonl"
perl -pe 's/"real_time": *\K([0-9.]+)/$1 * 1.001/e' "$scratch/r.json" >"$scratch/second.json"
check "others of the same second are taken" history 0 add "$scratch/second.jsonl" --results "$scratch/second.json" --commit c16
sed 's/"fingerprint": *"[^"]*"/"fingerprint":"other"/' "$scratch/r.json" >"$scratch/other.json"
check "another machine is refused" history 2 add "$H" --results "$scratch/other.json" --commit d1
check "another machine: --force" history 0 add "$H" --results "$scratch/other.json" --commit d1 --force
check "and reported by show" history 0 show "$H"
check "reported" grep -q "the machine changed 1 times" "$scratch/err"
check "nothing was lost" [ "$(wc -l <"$H")" -eq 17 ]
printf '{"commit"' >>"$H"
check "a line cut short is reported" history 2 show "$H"
check "reported with its number" grep -q "h.jsonl:18: cut short" "$scratch/err"

exit $failed
