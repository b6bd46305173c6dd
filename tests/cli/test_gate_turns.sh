#!/usr/bin/env bash
# The gate with made-up programs that take turns: verdicts, and what becomes of one that dies, hangs or is stopped in
# its turn, or does not know turns.
. "$(dirname "$0")/../support/gate.sh"

# Programs that take turns.
against_turns() { # status expected, settings of the candidate, settings of the base, more arguments
    local expected=$1
    rm -f "$scratch"/*.mark
    make_fake base "turns=1 ${3:-}"
    make_fake candidate "turns=1 $2"
    gate "$expected" --base "$scratch/base" --candidate "$scratch/candidate" --filter 'mha|gqa' "${@:4}"
}
nobody_left() { # of processes that hung
    [ -s "$scratch/$1.mark" ] && ! kill -0 "$(cat "$scratch/$1.mark")" 2>/dev/null
}
check "turns, the same: 0" against_turns 0 ""
check "turns: said so" says "pairs of live processes that take turns" out
check "turns: in the JSON" says '"way": "turns"' report.json
check "turns: both are the same" verdict SAME 2
check "turns, 6% slower: 1" against_turns 1 "victim=mha slow=6"
check "turns: only that" verdict SLOWER 1
make_fake base "turns=0"
check "a base that does not know turns: 0" gate 0 --base "$scratch/base" --candidate "$scratch/candidate" --filter gqa
check "a base without turns: said so" says "as a program does not know turns" out
check "whole processes on wish: 0" against_turns 0 "" "" --way processes
check "whole processes: said so" says '"way": "processes"' report.json
for behave in dies babbles; do
    check "candidate $behave in its turn: 1" against_turns 1 "victim=mha behave=turn_$behave"
    check "candidate $behave: named" verdict "CANDIDATE FAILED" 1
    check "base $behave in its turn: 3" against_turns 3 "" "victim=mha behave=turn_$behave"
    check "base $behave: named" verdict "BASE FAILED" 1
done
for behave in hangs stops; do
    check "candidate $behave in its turn: 1" against_turns 1 "victim=mha behave=turn_$behave"
    check "candidate $behave: says so" says "did not answer in its turn" out
    check "candidate $behave: nobody is left" nobody_left candidate
    check "base $behave in its turn: 3" against_turns 3 "" "victim=mha behave=turn_$behave"
    check "base $behave: named" verdict "BASE FAILED" 1
    check "base $behave: nobody is left" nobody_left base
done
check "a candidate that hangs ends with the budget: 3" against_turns 3 "victim=/ behave=turn_hangs" "" --budget 1s
check "hangs: the budget and a quarter of it" says "the budget and a quarter of it were over" out
check "hangs: nobody is left" nobody_left candidate
check "noise: 3" against_turns 3 "spread=40" "spread=40" --budget 2s
check "noise: why it is undecided, on the terminal" eval 'says "it waited for the CPU" out || says "pairs" out'
check "noise: why, in JUnit" grep -q 'skipped message="UNDECIDED.*pairs' "$scratch/junit.xml"

interrupt() {
    local pid i
    make_fake base "turns=1"
    make_fake candidate "turns=1 victim=mha behave=turn_hangs"
    rm -f "$scratch/candidate.mark" "$scratch/report.json"
    "$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --filter mha --base "$scratch/base" --candidate "$scratch/candidate" \
        --json "$scratch/report.json" >"$scratch/out" 2>"$scratch/err" &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ -s "$scratch/candidate.mark" ] && break
        sleep 0.1
    done
    kill -TERM $pid
    wait $pid
    [ $? -eq 143 ]
}
check "a signal in a turn ends it" interrupt
check "a signal in a turn: nobody is left" nobody_left candidate
check "a signal in a turn: a report nevertheless" says '"status": 143,' report.json
exit $failed
