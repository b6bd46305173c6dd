#!/usr/bin/env bash
# attnbench bench --turns from the outside: the words of bench/turns/turn_lines.h.
. "$(dirname "$0")/../../support/check.sh"
mha=attention/mha/decode/L:20/h:2/d:16 gqa=attention/gqa/decode/L:20/h:4/d:32/hkv:1

# What it answers to the orders, numbers left out, in one line.
turns() { # status expected, orders, more arguments
    local expected=$1 orders=$2
    shift 2
    printf '%b' "$orders" | "$ATTNBENCH" bench --turns --counters off "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ] || return 1
    sed 's/done [0-9]* [0-9]*/done/; s/moved [0-9][0-9]*/moved/' "$scratch/out" | paste -sd ' ' >"$scratch/said"
}
said() { # words
    [ "$(cat "$scratch/said")" = "$1" ]
}
refused() { # orders, text
    turns 2 "$1" && grep -qF -- "$2" "$scratch/err"
}

check "one case, named on the command line" turns 0 "go 3\ngo 1\nquit\ngo 1\n" --case $mha
check "one case: version 1" said "ready 1 done done"
check "several cases" turns 0 "case 0 $mha\ngo 3 2\nmove\ngo 3\ncase 0 $gqa\ngo 1 3\n"
check "several cases: version 2" said "ready 2 done done moved done ready 2 done done done"
check "a case of an output that is known" turns 0 "case 123 $mha\ngo 1\n"
check "a case of an output that is known: measured" said "ready 2 done"
check "a case that does not exist: 2" turns 2 "case 0 $mha\ncase 0 attention/none/decode\ngo 1\n"
check "a case that does not exist: not ready" said "ready 2"
check "a case that this CPU lacks: 3" turns 3 "case 0 $mha/t:512\ngo 1\n"
for order in "go 1" "move now" "case $mha" "case 0" "hello" ""; do
    check "refused: $order" refused "$order\n" "--turns:"
done
for order in "go 0" "go -1" "go 1 0" "go 1 x" "go 99999999999999" "go 1"; do
    check "refused of a case: $order" refused "case 0 $mha\n$order$([ "$order" = "go 1" ] || echo '\n')" "--turns: expected"
done
check "two cases on the command line: 2" turns 2 "" --case $mha --case $gqa
exit $failed
