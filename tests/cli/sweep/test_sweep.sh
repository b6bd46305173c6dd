#!/usr/bin/env bash
# sweep around measuring processes that work, fail, lie and crash; interruption; what it says and how it ends.
# Starts early.
. "$(dirname "$0")/../../support/check.sh"

sweep() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

counts() { # file, line of the JSON, how often it is in it
    [ "$(grep -cE "^ *$2,?\$" "$1")" -eq "$3" ]
}

cat >"$scratch/tiny.yaml" <<'END'
repetitions: 2
min_time: 0.001
sweeps:
  - {attention_type: [mha, mla], mode: decode, seq_len: 8, d_model: 8, num_heads: 2, latent_dim: 4, impl: scalar}
machine: machine/sgemm/n:16
END

# A measuring process that misbehaves for mha only.
cat >"$scratch/child" <<'END'
#!/bin/bash
case "$*" in
*--case\ attention/mha/*)
    case $MISBEHAVE in
    crash) kill -SEGV $$ ;;
    quiet) exit 7 ;;
    complain) echo "attnbench bench: no such luck" >&2; exit 2 ;;
    babble) echo "not JSON"; exit 0 ;;
    deny) echo "attnbench bench: status without a reason" >&2; "$ATTNBENCH" "$@"; exit 1 ;;
    wait) echo $$ >"$MARK.new"; mv "$MARK.new" "$MARK"; exec sleep 60 ;;
    esac
    ;;
esac
exec "$ATTNBENCH" "$@"
END
chmod +x "$scratch/child"
export ATTNBENCH MARK=$scratch/mark

check "list runs nothing" sweep 0 --list
check "list prints the rows" diff - "$scratch/out" <<'END'
attention/mha/decode/L:8/q:1/h:2/d:8/kv:f32/impl:scalar
attention/mla/decode/L:8/q:1/h:2/d:8/dc:4/kv:f32/path:auto/impl:scalar
machine/sgemm/n:16
END

check "a sweep" sweep 0 --out "$scratch/r.json"
check "no journal is left" [ ! -e "$scratch/r.json.journal" ]
check "every case is in the file" counts "$scratch/r.json" '"cases": 3' 1
check "every repetition is in the file" counts "$scratch/r.json" '"run_type": "iteration"' 6
check "four aggregates a case" counts "$scratch/r.json" '"run_type": "aggregate"' 12
cp "$scratch/r.json" "$scratch/before.json"
check "complete already" sweep 0 --out "$scratch/r.json"
check "complete already: says so" grep -q "complete already: 3 cases, 0 failed" "$scratch/out"
check "complete already: runs nothing" cmp "$scratch/r.json" "$scratch/before.json"
check "other settings are refused" sweep 2 --out "$scratch/r.json" --repetitions 3
check "other settings: one line" [ "$(wc -l <"$scratch/err")" -eq 1 ]
check "replace" sweep 0 --out "$scratch/r.json" --repetitions 3 --replace
check "replace runs all" counts "$scratch/r.json" '"run_type": "iteration"' 9
check "filter, counters off, seed" sweep 0 --out "$scratch/f.json" --filter machine --counters off --seed 5
check "filter keeps one row" counts "$scratch/f.json" '"cases": 1' 1
check "seed is recorded" counts "$scratch/f.json" '"seed": 5' 1
check "counters off: not PAPI" counts "$scratch/f.json" '"source": "(sde|papi|perf)"' 0
check "counters off: the kernel's" grep -q '"source": "kernel"' "$scratch/f.json"

export ATTNBENCH_CHILD=$scratch/child
for way in "crash:ended by signal 11" "quiet:ended with status 7 and said nothing" "complain:no such luck" \
    "babble:printed no JSON" "deny:status without a reason"; do
    export MISBEHAVE=${way%%:*}
    check "$MISBEHAVE: a failure" sweep 1 --out "$scratch/$MISBEHAVE.json"
    check "$MISBEHAVE: said on stderr" grep -q "FAILED: .*${way#*:}" "$scratch/err"
    check "$MISBEHAVE: counted" counts "$scratch/$MISBEHAVE.json" '"failed": 1' 1
    check "$MISBEHAVE: one entry that says why" counts "$scratch/$MISBEHAVE.json" '"error_message": ".*'"${way#*:}"'.*"' 1
    check "$MISBEHAVE: the others are measured" counts "$scratch/$MISBEHAVE.json" '"real_time": [0-9.e+-]*[1-9].*' 12
    check "$MISBEHAVE: failed again when complete" sweep 1 --out "$scratch/$MISBEHAVE.json"
done

marked() { # waits until the measuring process has begun, a minute at most
    local i
    for ((i = 0; i < 1200; i++)); do
        [ -e "$MARK" ] && return
        sleep 0.05
    done
    echo "[  FAILED  ] no measuring process began"
    kill -KILL "$pid"
    exit 1
}
ended() { # the status of what was signalled, a minute at most
    timeout 60 tail --pid="$pid" -f /dev/null || kill -KILL "$pid"
    wait "$pid"
}

export MISBEHAVE=wait
for signal in TERM:143 INT:130; do
    rm -f "$MARK"
    set -m # otherwise the shell has SIGINT ignored in what it starts in the background
    env --default-signal=INT "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --out "$scratch/wait.json" \
        >"$scratch/out" 2>"$scratch/err" &
    pid=$!
    set +m
    marked
    kill -s "${signal%:*}" $pid
    ended
    check "SIG${signal%:*}: exit status" [ $? -eq "${signal#*:}" ]
    check "SIG${signal%:*}: how to resume" grep -q "the same command resumes" "$scratch/err"
    check "SIG${signal%:*}: nothing under the final name" [ ! -e "$scratch/wait.json" ]
done
rm -f "$MARK"
set -m # a process group of its own, as a terminal's Ctrl-C reaches: parent and child at once
env --default-signal=INT "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --out "$scratch/wait.json" >"$scratch/out" 2>"$scratch/err" &
pid=$!
set +m
marked
kill -s INT -- -$pid
ended
check "Ctrl-C: exit status" [ $? -eq 130 ]
check "Ctrl-C: the case in flight is not taken for a failure" eval '! grep -q FAILED "$scratch/err"'

rm -f "$MARK"
"$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --out "$scratch/wait.json" >"$scratch/out" 2>"$scratch/err" &
pid=$!
marked
child=$(cat "$MARK")
kill -9 $pid
wait $pid 2>/dev/null
gone() { # or dead and not reaped, where nobody does that for orphans
    [ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}
for _ in $(seq 100); do gone "$child" && break; sleep 0.05; done
check "kill -9 takes the measuring process along" gone "$child"
unset ATTNBENCH_CHILD
check "resumes after signals" sweep 0 --out "$scratch/wait.json"
check "resumes: counted as interrupted" counts "$scratch/wait.json" '"interrupted": 4' 1

export ATTNBENCH_CHILD=$scratch/missing
check "a measuring process that is not there" sweep 2 --out "$scratch/none.json"
check "not there: says so" grep -q "missing: cannot be run: No such file" "$scratch/err"
exit $failed
