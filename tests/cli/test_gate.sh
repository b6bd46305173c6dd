#!/usr/bin/env bash
# The gate around programs that are the same, slower, larger, broken, strange or missing. Most of them are
# made up: a script that answers as attnbench does, with times of our choice, so that nothing depends on how
# busy the machine is.
. "$(dirname "$0")/../support/check.sh"
only=

cat >"$scratch/tiny.yaml" <<'END'
repetitions: 3
min_time: 0.001
cases:
  - attention/mha/decode/L:8/h:2/d:8
  - attention/gqa/decode/L:8/h:2/d:8
  - attention/mla/decode/L:8/h:2/d:8/dc:4
  - attention/linear/decode/L:8/h:2/d:8
END

make_fake() { # name, settings
    cp tests/support/fake_attnbench.sh "$scratch/$1"
    echo "$2" >"$scratch/$1.conf"
}

gate() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --budget 60s --no-attribution --json "$scratch/report.json" \
        --junit "$scratch/junit.xml" --markdown "$scratch/report.md" "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

against() { # status expected, settings of the candidate, settings of the base
    rm -f "$scratch"/*.calls
    make_fake base "${3:-}"
    make_fake candidate "$2"
    gate "$1" --base "$scratch/base" --candidate "$scratch/candidate" $only
}

verdict() { # verdict, how many lines of the JSON have it
    [ "$(grep -c "^ *\"verdict\": \"$1\",\$" "$scratch/report.json")" -eq "$2" ]
}

bytes() { # verdict, how many
    [ "$(grep -c "^ *\"verdict\": \"$1\"\$" "$scratch/report.json")" -eq "$2" ]
}

says() { # text in file
    grep -qF -- "$1" "$scratch/$2"
}

check "the same: 0" against 0 ""
check "the same: all four, and the whole passes" verdict SAME 4
check "the same: in the table" says "4 SAME." out
check "the same: JUnit has a test for time and for each kind of bytes" says 'tests="12" failures="0" errors="0" skipped="0"' junit.xml
check "the same: Markdown is what was printed" cmp -s "$scratch/out" "$scratch/report.md"

check "one case 6% slower: 1" against 1 "victim=mla slow=6"
check "slower: only that" verdict SLOWER 1
check "slower: the others are the same" verdict SAME 3
check "slower: named" says '**SLOWER** | `attention/mla/' out
check "slower: JUnit fails" says '<failure message="SLOWER: +' junit.xml

check "one case faster: 0" against 0 "victim=gqa slow=-8"
check "faster: said so" verdict FASTER 1

check "1% slower is the same" against 0 "victim=mla slow=1 spread=0" "spread=0"

check "a cache larger by a byte: 1" against 1 "victim=linear bytes=1"
check "a byte: told apart from time" verdict SAME 4
check "a byte: GREW" bytes GREW 1
check "a byte: in the table" says '| **GREW** | `attention/linear/decode/L:8/q:1/h:2/d:8/kv:f32/impl:blas` | cache | 64 | 65 |' out
check "a byte less: 0" against 0 "victim=linear bytes=-1"
check "a byte less: SHRANK" bytes SHRANK 1
check "peak memory larger by a byte: 1" against 1 "victim=mha peak=1"
check "peak memory: in the table" says "peak memory | 4096 | 4097" out

check "missing in the candidate: 3" against 3 "victim=gqa behave=missing"
check "missing: named" verdict "MISSING IN CANDIDATE" 1
check "missing in the base: 3" against 3 "" "victim=gqa behave=missing"
check "missing in the base: named" verdict "MISSING IN BASE" 1

only="--filter mha|gqa"
for behave in wrong crash crash_later babble nan; do
    check "candidate $behave: 1" against 1 "victim=mha behave=$behave"
    check "candidate $behave: named" verdict "CANDIDATE FAILED" 1
    check "base $behave: 3" against 3 "" "victim=mha behave=$behave"
    check "base $behave: named" verdict "BASE FAILED" 1
done
against 1 "victim=mha behave=wrong"
only=
check "a failed check publishes no time and says why" says "off by a mile" out

only="--filter mha|gqa"
check "a candidate whose last words are not UTF-8: 1" against 1 "victim=mha behave=latin"
check "not UTF-8: reported in every form" eval 'says "caf" out && says "caf" junit.xml && says "caf" report.json && says "caf" report.md'
check "a case that only the candidate has, and that fails there: 1" against 1 "victim=mha behave=wrong" "victim=mha behave=missing"
check "only there and failed: named" verdict "CANDIDATE FAILED" 1
only=

check "slower and missing: slower counts" against 1 "slow=9 victim=mla" "victim=gqa behave=missing"

against_briefly() {
    make_fake base "spread=40"
    make_fake candidate "spread=40"
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
    local pid i
    make_fake base ""
    make_fake candidate "victim=linear behave=wait"
    rm -f "$scratch/candidate.mark" "$scratch/report.json"
    "$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --base "$scratch/base" --candidate "$scratch/candidate" \
        --json "$scratch/report.json" >"$scratch/out" 2>"$scratch/err" &
    pid=$!
    for ((i = 0; i < 600; i++)); do
        [ -s "$scratch/candidate.mark" ] && break
        sleep 0.1
    done
    kill -TERM $pid
    wait $pid
    [ $? -eq 143 ] && ! kill -0 "$(cat "$scratch/candidate.mark")" 2>/dev/null
}
check "a signal ends it with the child" interrupt
check "a signal: a report nevertheless, undecided" verdict UNDECIDED 5
check "a signal: said so" says ", interrupted" out
check "a signal: the report has the exit status" says '"status": 143,' report.json

# The budget has no room for a third block of one case, but for all of the others.
rm -f "$scratch"/*.calls
make_fake base ""
make_fake candidate "victim=gqa behave=drag"
check "one case with slow processes: 3" gate 3 --base "$scratch/base" --candidate "$scratch/candidate" --budget 17s
check "slow processes: the other cases are decided nevertheless" verdict SAME 3

rm -f "$scratch"/*.calls
make_fake base "behave=drag"
check "a report that cannot be written: 2" gate 2 --base "$scratch/base" --candidate "$scratch/base" \
    --markdown "$scratch/missing/report.md"
check "a report that cannot be written: told before anything is measured" [ ! -e "$scratch/base.calls" ]

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

# Against stored results.
make_fake base ""
make_fake candidate ""
ATTNBENCH_CHILD=$scratch/base "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --out "$scratch/base.json" \
    >"$scratch/out" 2>"$scratch/err"
make_fake candidate "victim=mla slow=60"
check "stored base, 60% slower: 1" gate 1 --base "$scratch/base.json" --candidate "$scratch/candidate"
check "stored base: only that" verdict SLOWER 1
check "stored base: says that it is weaker" says "verdicts are weaker" out
make_fake candidate ""
gate 3 --base "$scratch/base.json" --candidate "$scratch/candidate"
check "stored base, the same: nothing is slower" verdict SLOWER 0
sed 's/"core": *"[A-Za-z]*"/"core":"Katmai"/' "$scratch/base.json" >"$scratch/other.json"
check "stored base of another machine: 3" gate 3 --base "$scratch/other.json" --candidate "$scratch/candidate"
check "another machine: says which field" says "blas.core (Katmai, " err
gate 3 --force --base "$scratch/other.json" --candidate "$scratch/candidate"
check "another machine, forced: says so in every line" [ "$(grep -c "^| .*attention/.*not comparable: blas.core" "$scratch/out")" -eq 4 ]
head -c 3000 "$scratch/base.json" >"$scratch/cut.json"
check "stored base cut short: 2" gate 2 --base "$scratch/cut.json" --candidate "$scratch/candidate"
grep -v linear "$scratch/tiny.yaml" >"$scratch/three.yaml"
ATTNBENCH_CHILD=$scratch/base "$ATTNBENCH" sweep --plan "$scratch/three.yaml" --out "$scratch/three.json" \
    >"$scratch/out" 2>"$scratch/err"
gate 3 --base "$scratch/three.json" --candidate "$scratch/candidate"
check "a case that the stored base has not is told" verdict "MISSING IN BASE" 1
"$ATTNBENCH" gate --plan "$scratch/three.yaml" --base "$scratch/base.json" --candidate "$scratch/candidate" --budget 60s \
    >"$scratch/out" 2>"$scratch/err"
check "a case of the stored base that the plan has not is told" says "1 of 4 cases of the stored base are not in the plan" out

# The real program, and a delay that nobody can overlook.
cat >"$scratch/late" <<'END'
#!/bin/sh
ATTNBENCH_DELAY='mla=400%' exec "$ATTNBENCH" "$@"
END
chmod +x "$scratch/late"
gate 1 --base "$ATTNBENCH" --candidate "$scratch/late" --filter 'mla|mha'
check "a delay in timed regions is found where it is" says '**SLOWER** | `attention/mla/' out
check "a delay: not elsewhere" verdict SLOWER 1
"$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --filter mla --base "$ATTNBENCH" --candidate "$scratch/late" \
    --json "$scratch/report.json" >"$scratch/out" 2>"$scratch/err"
check "a delay: its case is run again with counters" says '### What moved' out
check "a delay: counters of the kernel were read on both sides" \
    grep -qE '"name": "page_faults_minor",' "$scratch/report.json"
check "a delay: what cannot be counted is told" eval 'says "cannot be counted here: " out || says instructions out'

exit $failed
