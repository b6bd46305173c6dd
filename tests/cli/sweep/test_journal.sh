#!/usr/bin/env bash
# A journal that was edited by hand or damaged: what cannot be believed is said in one line, and its case is run again.
. "$(dirname "$0")/../../support/check.sh"

cat >"$scratch/plan.yaml" <<'YAML'
repetitions: 2
rounds: 1
min_time: 0.0005
cases:
  - attention/mha/decode/L:8/h:2/d:16
  - attention/mla/decode/L:8/h:2/d:16/dc:8
  - attention/linear/decode/L:8/h:2/d:16
  - attention/gqa/decode/L:8/h:2/d:16/hkv:1
YAML

# A measuring process that ends the sweep at its last case.
cat >"$scratch/child" <<'SH'
#!/bin/bash
echo "$3" >>"$STARTS"
case "$3" in *gqa*) [ -z "${STOP:-}" ] || { kill -9 $PPID; exit 1; } ;; esac
exec "$ATTNBENCH" "$@"
SH
chmod +x "$scratch/child"
export ATTNBENCH_CHILD=$scratch/child STARTS=$scratch/starts

sweep() {
    "$ATTNBENCH" sweep --plan "$scratch/plan.yaml" --out "$scratch/r.json" --counters off >"$scratch/out" 2>"$scratch/err"
}

(STOP=1 sweep) 2>/dev/null
check "a sweep that was killed leaves a journal of three cases" [ "$(grep -c '^{"finished"' "$scratch/r.json.journal")" -eq 3 ]
mv "$scratch/r.json.journal" "$scratch/whole"

entries='s/"entries":\[.*\]}$/"entries":'
# name | sed script for the line about mha | what the line on stderr says | cases run
while IFS='|' read -r name script says runs; do
    sed '/^{"finished":"attention\/mha/'"$script" "$scratch/whole" >"$scratch/r.json.journal"
    rm -f "$scratch/r.json" "$STARTS"
    sweep
    check "$name: completes" [ $? -eq 0 ]
    check "$name: every repetition of every case is there" [ "$(grep -c '"run_type": "iteration"' "$scratch/r.json")" -eq 8 ]
    check "$name: all of the cases' own names and times" [ "$(grep -cE '"run_name": "attention/(mha|mla|linear|gqa)/|"real_time": [1-9]' "$scratch/r.json")" -ge 16 ]
    check "$name: nothing evil is left" [ "$(grep -c 'evil\|"real_time": -' "$scratch/r.json")" -eq 0 ]
    check "$name: $runs cases are run" [ "$(sort -u "$STARTS" | wc -l)" -eq "$runs" ]
    if [ -n "$says" ]; then
        check "$name: one line says so" [ "$(grep -cE "r.json.journal:3: .*$says.*: this case is run again" "$scratch/err")" -eq 1 ]
    else
        check "$name: nothing is said" [ "$(grep -c 'run again' "$scratch/err")" -eq 0 ]
    fi
done <<CASES
as it was|s/x/x/||1
no entries|${entries}[]}/|no entries of attention/mha|2
entries that are no objects|${entries}[1,"x",null]}/|is no object|2
another case's name|s/"name":"attention\/mha[^"]*"/"name":"attention\/evil"/|the name of another case|2
another case's run_name|s/"run_name":"attention\/mha[^"]*"/"run_name":"attention\/evil"/g|the name of another case|2
a negative time|s/"real_time":/"real_time":-/|real_time|2
a failure without an error|s/"failed":false/"failed":true/|are not one error|2
a word for a number|s/"iterations":[0-9]*/"iterations":"many"/|iterations|2
CASES

sed 's/^{"finished":\(.*\)"entries":.*/{"finished":\1"entries":[]}/' "$scratch/whole" >"$scratch/r.json.journal"
rm -f "$scratch/r.json" "$STARTS"
sweep
check "three damaged lines: one line for all" [ "$(grep -c 'and those of 2 more lines are run again' "$scratch/err")" -eq 1 ]
check "three damaged lines: all four cases are run" [ "$(sort -u "$STARTS" | wc -l)" -eq 4 ]
exit $failed
