#!/usr/bin/env bash
# Text that comes from results and history files stays text in Markdown: no HTML, no links, no broken rows.
. "$(dirname "$0")/../support/check.sh"

if [ ! -x /usr/bin/python3 ]; then
    echo "[  SKIPPED ] text in Markdown: there is no /usr/bin/python3"
    exit 0
fi
cat >"$scratch/spoil.py" <<'PY'
import json, sys

EVIL = "<script>alert(1)</script>\n\n<img src=x onerror=alert(2)>|`[a](javascript:b)<!-- "


def spoil(value):
    for key, one in value.items():
        if isinstance(one, dict):
            spoil(one)
        elif isinstance(one, str):
            value[key] = one + EVIL


results = json.load(open(sys.argv[1]))
spoil(results["context"])
for entry in results["benchmarks"]:
    if "error_message" in entry:
        entry["error_message"] += EVIL
    for group in ("counters", "derived", "measured"):
        spoil({name: one for name, one in (entry.get(group) or {}).items() if isinstance(one, dict)
               and not {"validation", "value"} & one.keys()})
json.dump(results, open(sys.argv[2] + "/R.json", "w"))
with open(sys.argv[2] + "/H.jsonl", "w") as history:
    for number in range(12):
        json.dump({"commit": EVIL, "date": EVIL, "host": EVIL, "fingerprint": "f", "plan": EVIL, "cases": {
            "attention/mha" + EVIL: {"time": 100.0 if number < 6 else 150.0, "runs": 3}}}, history)
        history.write("\n")
PY
/usr/bin/python3 "$scratch/spoil.py" tests/data/results_sample.json "$scratch" || exit 1

is_text() { # FILE: nothing in it is HTML or a link, but for what a backslash makes text
    [ -s "$1" ] && grep -q alert "$1" && ! sed 's/`[^`]*`//g' "$1" | grep -nE '(^|[^\\])<(script|img|/script|!--)|[^\\]\]\(javascript' >"$scratch/out"
}
rows_are_whole() { # FILE: every line of a table has the cells of the line before
    awk -F'|' '/^\|/ { gsub(/\\\|/, ""); if (cells && NF != cells) bad = 1; cells = NF; next } { cells = 0 } END { exit bad }' "$1"
}

"$ATTNBENCH" history show "$scratch/H.jsonl" --out "$scratch/history" >"$scratch/shown.md" 2>"$scratch/err"
check "history show" [ $? -eq 0 ]
check "history show: text" is_text "$scratch/shown.md"
check "history show: rows" rows_are_whole "$scratch/shown.md"
check "history.md: text" is_text "$scratch/history/history.md"
check "history.md: rows" rows_are_whole "$scratch/history/history.md"
check "history.md: a picture for the case, on one line" [ "$(grep -c '^!\[attention/mha.*\.svg)$' "$scratch/history/history.md")" -eq 1 ]

"$ATTNBENCH" summary "$scratch/R.json" --format md >"$scratch/summary.md" 2>"$scratch/err"
check "summary: text" is_text "$scratch/summary.md"

"$ATTNBENCH" report "$scratch/R.json" --out "$scratch/report" >"$scratch/out" 2>"$scratch/err"
check "report" [ $? -eq 0 ]
check "report: provenance has the text" is_text "$scratch/report/tables/provenance.md"
for file in "$scratch"/report/tables/*.md; do
    check "report: $(basename "$file"): rows" rows_are_whole "$file"
    grep -q alert "$file" && check "report: $(basename "$file"): text" is_text "$file"
done
check "report: no HTML on the page" [ "$(grep -cE '<script>alert|<img src=x' "$scratch/report/index.html")" -eq 0 ]

"$ATTNBENCH" compare "$scratch/R.json" "$scratch/R.json" >"$scratch/compared.md" 2>"$scratch/err"
check "compare: text" is_text "$scratch/compared.md"
check "compare: rows" rows_are_whole "$scratch/compared.md"
exit $failed
