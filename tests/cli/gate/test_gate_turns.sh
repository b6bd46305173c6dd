#!/usr/bin/env bash
# The gate with made-up programs that take turns: verdicts, and what becomes of one that dies, hangs or is stopped in
# its turn, or does not know turns.
. "$(dirname "$0")/gate.sh"

# Programs that take turns.
against_turns() { # status expected, settings of the candidate, settings of the base, more arguments
    local expected=$1
    rm -f "$scratch"/*.mark
    make_fake base "turns=2 ${3:-}"
    make_fake candidate "turns=2 $2"
    gate "$expected" --base "$scratch/base" --candidate "$scratch/candidate" --filter 'mha|gqa' "${@:4}"
}

# One that hangs is waited for: these run side by side, each in a folder of its own.
aside() { # folder, arguments of against_turns
    local scratch=$scratch/$1
    mkdir "$scratch"
    cp "$scratch/../tiny.yaml" "$scratch"
    (
        trap - EXIT
        against_turns "${@:2}"
        echo $? >"$scratch/status"
    ) &
}
within() { # folder, command: there
    local scratch=$scratch/$1
    "${@:2}"
}
went_well() {
    [ "$(cat "$scratch/status")" = 0 ]
}
nobody_left() { # of processes that hung; a zombie that its new parent has not reaped is nobody
    [ -s "$scratch/$1.mark" ] && ! ps -o state= -p "$(cat "$scratch/$1.mark")" | grep -qv Z
}
long=1 # what hangs does so in any build
"$ATTNBENCH" info | grep -q fsanitize && long=0
if [ $long = 1 ]; then
    for behave in turn_hangs turn_stops wait; do
        aside "candidate-$behave" 1 "victim=mha behave=$behave"
        aside "base-$behave" 3 "" "victim=mha behave=$behave"
    done
    # Over well before anything counts as hanging (5 s, patience() in harness/gate/gate.c), however fast the start was.
    aside short 3 "victim=/ behave=turn_hangs" "" --budget 3s
    aside wrapped 3 "victim=/ behave=turn_hangs wrapped=1" "" --budget 3s
    aside noise 3 "spread=40 pause=0.01" "spread=40 pause=0.01" --budget 2s # too few pairs, however fast they are
fi

check "turns, the same: 0" against_turns 0 ""
check "turns: said so" says "pairs of live processes that take turns" out
check "turns: in the JSON" says '"way": "turns"' report.json
check "turns: both are the same" verdict SAME 2
check "turns, 6% slower: 1" against_turns 1 "victim=mha slow=6"
check "turns: only that" verdict SLOWER 1
check "an older base, which takes one case a process: 1" against_turns 1 "victim=mha slow=6" "turns=1"
check "an older base: only that" verdict SLOWER 1
check "an older base: said so" says "as the older of the two programs knows them" out
check "an older base that dies in its turn: 3" against_turns 3 "" "turns=1 victim=mha behave=turn_dies"
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

interrupt() {
    make_fake base "turns=2"
    make_fake candidate "turns=2 victim=mha behave=turn_hangs"
    interrupted --filter mha
}
check "a signal in a turn ends it" interrupt
check "a signal in a turn: nobody is left" nobody_left candidate
check "a signal in a turn: a report nevertheless" says '"status": 143,' report.json

wait
[ $long = 1 ] || exit $failed
for behave in turn_hangs turn_stops wait; do
    for side in candidate base; do
        at=$side-$behave
        check "$side $behave" within "$at" went_well
        check "$side $behave: named" within "$at" verdict "${side^^} FAILED" 1
        check "$side $behave: nobody is left" within "$at" nobody_left $side
    done
done
check "candidate hangs: says so" within candidate-turn_hangs says "did not answer in its turn" out
for at in short wrapped; do
    check "a candidate that hangs ends with the budget ($at): 3" within $at went_well
    check "ends ($at): the budget and a quarter of it" within $at says "the budget and a quarter of it were over" out
    check "ends ($at): nobody is left" within $at nobody_left candidate
done
check "noise: 3" within noise went_well
check "noise: why it is undecided, in the table" within noise grep -q 'UNDECIDED.* pairs.*; .*waited for the CPU' "$scratch/noise/out"
check "noise: why, in JUnit" within noise grep -q 'skipped message="UNDECIDED.* pairs' "$scratch/noise/junit.xml"
exit $failed
