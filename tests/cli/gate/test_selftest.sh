#!/usr/bin/env bash
# selftest around a made-up program: what it counts, that it goes on where it stopped, what it refuses. Starts early.
. "$(dirname "$0")/../../support/check.sh"
. "$(dirname "$0")/fake.sh"

cat >"$scratch/tiny.yaml" <<'END'
cases:
  - attention/mha/decode/L:8/h:2/d:8
  - attention/linear/decode/L:8/h:2/d:8
END
copy_fake "$scratch/fake"
export ATTNBENCH_CHILD=$scratch/fake FAKE_CONF=$scratch/fake.conf TMPDIR=$scratch

selftest() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" selftest --plan "$scratch/tiny.yaml" --journal "$scratch/journal" --format csv "$@" \
        >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

row() { # start of the row of the table
    grep -q "^$1" "$scratch/out"
}

lines() { # how many the journal has
    [ "$(wc -l <"$scratch/journal")" -eq "$1" ]
}

check "two rounds" selftest 0 --rounds 2 --slow 1,9
check "no false alarm in two runs" row "no slow-down: runs with a false alarm,2,0,0,0,0.8418"
check "9% is found" row "one case 9% slower: found,2,2,1,0.158"
check "9%: nothing else" row "one case 9% slower: runs with a false alarm,2,0,"
check "1% is below the floor" row "one case 1% slower: found,2,0,0,0,"
check "a threshold between" grep -qE '^"?smallest slow-down found 95% of the time, in percent"?,4,,[2-9]' "$scratch/out"
check "the journal has each run" lines 7
check "the same command has nothing to do" selftest 0 --rounds 2 --slow 1,9
check "nothing was run" [ ! -s "$scratch/err" ]
printf '{"percent":0.0,"wro' >>"$scratch/journal"
check "a line cut short is dropped" selftest 0 --rounds 3 --slow 1,9
check "one round more" lines 10
check "three runs now" row "one case 9% slower: found,3,3,1,"
check "another budget is refused" selftest 2 --rounds 3 --budget 2m
check "refused: says so" grep -q "another machine, plan, budget, effect or commit" "$scratch/err"

rm -f "$scratch/journal"
echo "spread=40 pause=0.01" >"$scratch/fake.conf" # too few pairs, however fast they are
check "an undecided run is no find" selftest 0 --rounds 1 --slow 9 --budget 1s
check "undecided: counted" row "one case 9% slower: found,1,0,0,0,0.975,1,"

# Both sides fail: the base first, which is undecided. Of a candidate alone:
cat >"$scratch/fake.conf" <<'END'
only=candidate behave=wrong
END
rm -f "$scratch/journal"
check "a candidate that is called failed is a false alarm: 1" selftest 1 --rounds 1 --slow 9
check "failed: counted without a slow-down" row "no slow-down: runs with a false alarm,1,1,1,"
check "failed: counted with one, too" row "one case 9% slower: runs with a false alarm,1,1,1,"
check "failed: not found" row "one case 9% slower: found,1,0,0,"
cat >"$scratch/fake.conf" <<'END'
only=candidate bytes=1
END
rm -f "$scratch/journal"
check "bytes that are called grown are a false alarm: 1" selftest 1 --rounds 1 --slow ""
check "grown: counted" row "no slow-down: runs with a false alarm,1,1,1,"

rm -f "$scratch/journal"
cat >"$scratch/fake.conf" <<'END'
behave=wait
END
interrupt() {
    "$ATTNBENCH" selftest --plan "$scratch/tiny.yaml" --journal "$scratch/journal" >"$scratch/out" 2>"$scratch/err" &
    terminated $! "$scratch/fake.mark"
}
check "a signal ends it" interrupt
check "a signal: the run that was going on is not counted" lines 1
check "copies of the program are gone" [ -z "$(ls -d "$scratch"/attnbench-* 2>/dev/null)" ]

exit $failed
