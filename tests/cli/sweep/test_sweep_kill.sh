#!/usr/bin/env bash
# kill -9 at ten random moments of a sweep, then the same command: the file is complete, and no round of a case ran twice
# except those that were in flight. A measuring process of the test's own writes down every start. Starts early.
. "$(dirname "$0")/../../support/check.sh"

rows=30 rounds=2 kills=10
{
    echo "repetitions: 2"
    echo "rounds: $rounds"
    echo "min_time: 0.001"
    echo "cases:"
    for i in $(seq $rows); do echo "  - attention/mha/decode/L:$i/h:1/d:4/impl:scalar"; done
} >"$scratch/many.yaml"

cat >"$scratch/child" <<'END'
#!/bin/bash
# bench --case ROW ...; one write, so that a kill leaves a line or none
echo "$3" >>"$STARTS"
exec "$ATTNBENCH" "$@"
END
chmod +x "$scratch/child"
export ATTNBENCH ATTNBENCH_CHILD=$scratch/child STARTS=$scratch/starts

run() {
    exec "$ATTNBENCH" sweep --plan "$scratch/many.yaml" --out "$scratch/r.json" 2>>"$scratch/log" >>"$scratch/log"
}

# Waiting starts no process: there would be hundreds.
starts() { # begun so far: into `begun`
    local lines
    mapfile -t lines <"$STARTS"
    begun=${#lines[@]}
}
mkfifo "$scratch/nothing"
wait_a_little() {
    read -rt 0.01 <>"$scratch/nothing"
}

: >"$STARTS"
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed (SEED=$seed repeats it)"
killed=0
while [ $killed -lt $kills ]; do
    starts
    (run) &
    pid=$!
    # After some more cases have begun, and then at any moment of one: never a matter of how fast the machine is.
    target=$((begun + 1 + RANDOM % 2))
    while [ $begun -lt $target ] && kill -0 $pid 2>/dev/null; do
        wait_a_little
        starts
    done
    sleep "0.0$((RANDOM % 4))"
    kill -9 $pid 2>/dev/null && killed=$((killed + 1))
    wait $pid 2>/dev/null
    [ -e "$scratch/r.json" ] && break
done
check "killed $kills times" [ $killed -eq $kills ]
check "nothing under the final name before the end" [ ! -e "$scratch/r.json" ]

finished=$(grep -c '^{"finished"' "$scratch/r.json.journal")
(run)
check "the same command completes it" [ $? -eq 0 ]
check "the journal is gone" [ ! -e "$scratch/r.json.journal" ]
check "every case is in the file, with every repetition" \
    [ "$(grep -c '"run_type": "iteration"' "$scratch/r.json")" -eq $((2 * rows)) ]
check "no case is in it twice" \
    [ "$(grep -o '"name": ".*_median"' "$scratch/r.json" | sort -u | wc -l)" -eq $rows ]

# Each kill can have one round of a case in flight; it runs again only for that.
again=$(($(wc -l <"$STARTS") - rounds * rows))
interrupted=$(sed -n 's/^ *"interrupted": \([0-9]*\),*$/\1/p' "$scratch/r.json")
echo "$finished rounds of cases were finished before the last run; $again starts were repeated, $interrupted in flight"
check "all cases were started" [ "$(sort -u "$STARTS" | wc -l)" -eq $rows ]
check "at most one round of a case in flight a kill" [ "$interrupted" -le $kills ]
check "no round of a case ran twice but those in flight" [ "$again" -le "$interrupted" ]
exit $failed
