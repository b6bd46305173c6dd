#!/usr/bin/env bash
# The gate when its time ends, when it is interrupted, and where its reports go. The programs are made up.
# Starts early.
. "$(dirname "$0")/gate.sh"

# Too slow for a first look at any case within the budget, on any machine.
against_briefly() {
    make_fake base "pause=0.03 spread=40"
    make_fake candidate "pause=0.03 spread=40"
    gate 3 --base "$scratch/base" --candidate "$scratch/candidate" --budget 1s
}
check "noise and no time: 3" against_briefly
check "no time: undecided" verdict UNDECIDED 5

make_fake base "pause=0.7"
make_fake candidate ""
check "a budget that ends while cases are checked: 3" gate 3 --base "$scratch/base" --candidate "$scratch/candidate" --budget 1s
check "not run: undecided, and why" says "the budget was spent before it was run" out
check "not run: nothing is called the same" verdict SAME 0

interrupt() {
    make_fake base ""
    make_fake candidate "victim=linear behave=wait"
    interrupted && ! kill -0 "$(cat "$scratch/candidate.mark")" 2>/dev/null
}
check "a signal ends it with the child" interrupt
check "a signal: a report nevertheless, undecided" verdict UNDECIDED 5
check "a signal: said so" says ", interrupted" out
check "a signal: the report has the exit status" says '"status": 143,' report.json

# A block of one case takes twice `drag`, which is twice what all other cases take on this machine, as busy as it is. The
# budget has room for the others, and not for a third block of that case.
make_fake base "spread=0"
make_fake candidate "spread=0"
began=${EPOCHREALTIME/./}
check "all but one case: 0" gate 0 --base "$scratch/base" --candidate "$scratch/candidate" --filter 'mha|mla|linear'
drag=$(((${EPOCHREALTIME/./} - began) / 500000 + 1))
rm -f "$scratch"/*.calls
sed 's/^min_time: .*/min_time: 1000/' "$scratch/tiny.yaml" >"$scratch/patient.yaml" # nothing is taken for hanging
make_fake candidate "spread=0 victim=gqa behave=drag drag=$drag"
check "one case with slow processes: 3" gate 3 --base "$scratch/base" --candidate "$scratch/candidate" \
    --plan "$scratch/patient.yaml" --budget $((drag * 11 / 2))s
check "slow processes: the other cases are decided nevertheless" verdict SAME 3

rm -f "$scratch"/*.calls
make_fake base "behave=drag"
check "a report that cannot be written: 2" gate 2 --base "$scratch/base" --candidate "$scratch/base" \
    --markdown "$scratch/missing/report.md"
check "a report that cannot be written: reported before anything is measured" [ ! -e "$scratch/base.calls" ]

mkfifo "$scratch/pipe"
cat "$scratch/pipe" >"$scratch/piped" &
reader=$!
make_fake base ""
check "a report may go into a pipe: 0" timeout 60 "$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --filter mha --base "$scratch/base" \
    --candidate "$scratch/base" --json "$scratch/pipe" --format csv
wait $reader
check "a pipe gets the whole report" grep -q '"verdict": "PASS"' "$scratch/piped"
cp "$scratch/tiny.yaml" "$scratch/t"$'\351'"ny.yaml"
"$ATTNBENCH" gate --plan "$scratch/t"$'\351'"ny.yaml" --filter mha --base "$scratch/base" --candidate "$scratch/base" --format json \
    --json "$scratch/report.json" >/dev/full 2>"$scratch/err"
check "standard output that is full: 2" [ $? -eq 2 ]
check "full: one line says so" [ "$(grep -c "standard output cannot be written" "$scratch/err")" = 1 ]
check "full: the files are written nevertheless, of a plan with any name" verdict PASS 1

check "a program that is none: 2" gate 2 --base /bin/true --candidate "$ATTNBENCH"
check "none: says so" says "/bin/true: not an attnbench" err
check "no such program: 2" gate 2 --base "$ATTNBENCH" --candidate "$scratch/nothing"
exit $failed
