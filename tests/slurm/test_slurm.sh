#!/usr/bin/env bash
# make test-slurm: harness/slurm/attnbench.sbatch on a real Slurm of three nodes, all on loopback, started here and stopped
# here. The quick plan, all of it, in eight shards: one loses its node, one is preempted and one is told that its time is
# up, each with a case in flight. Each case runs once and briefly, as names and bytes are looked at and not times. Then a
# study in three shards. Ends with "N passed, N failed, N skipped". Exit status: 0 passed, 1 failed, 3 skipped.
set -u
cd "$(dirname "$0")/../.." || exit
step=slurm
. tests/support/step.sh
. tests/slurm/cluster.sh
. tests/slurm/study.sh
build=$(realpath "${BUILD:-build}")
attnbench=$build/attnbench
slurm=$build/slurm
shards=8 single=
sweep=(--plan quick --repetitions 1 --min-time 0.001 --counters off)

show_logs() {
    tail -n 15 "$scratch"/cluster/log/slurmctld "$scratch"/{out,study}/*.log 2>/dev/null
}

give_up() {
    show_logs
    fail_all "$*"
}

within() { # seconds, command...: until it holds
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.3
    done
}

set_up() {
    local status=0
    mkdir -p "$slurm"
    tests/slurm/fetch.sh "$slurm" >"$slurm/fetch.log" 2>&1 || status=$?
    [ $status -ne 3 ] || skip_all "$(tail -n 1 "$slurm/fetch.log")"
    [ $status -eq 0 ] || give_up "fetch.sh stopped with status $status"
    find_slurm "$slurm/root" || skip_all "slurmctld, slurmd, munged or sbatch is missing"
    scratch=$(mktemp -d)
    trap 'stop_cluster "$scratch/cluster"; [ -z "$single" ] || kill "$single" 2>/dev/null; rm -rf "$scratch"' EXIT
    trap 'exit 143' TERM INT
    start_cluster "$scratch/cluster" || give_up "the cluster does not start"
}

# A measuring process that waits with the second case of three shards, so that they are in flight when something happens.
hold_cases() {
    local k
    for k in 1 2 3; do
        "$attnbench" sweep "${sweep[@]}" --shard $k/$shards --list 2>/dev/null | sed -n 2p
    done >"$scratch/held"
    cat >"$scratch/child" <<END
#!/usr/bin/env bash
while [ ! -e "$scratch/go" ] && grep -qxF -- "\$3" "$scratch/held"; do sleep 0.1; done
exec "$attnbench" "\$@"
END
    chmod +x "$scratch/child"
    export ATTNBENCH_CHILD=$scratch/child
}

in_flight() { # shard: its second case
    tail -n 1 "$scratch/out/shard-$1.json.journal" 2>/dev/null |
        grep -qxF "{\"started\":\"$(sed -n "$1p" "$scratch/held")\",\"round\":1}"
}

all_in_flight() {
    in_flight 1 && in_flight 2 && in_flight 3
}

node_of() { # shard
    squeue -h -r -j "${job}_$1" -o %N
}

node_is_down() {
    [ "$(sinfo -h -n "$1" -p batch -o %t)" = 'down*' ]
}

is_over() { # job
    [ -z "$(squeue -h -j "$1" 2>/dev/null)" ]
}

facts() { # results file: plan, and names and bytes of every entry
    grep -E '^ *("name": "[a-z]+/|"(kv_bytes_formula|kv_bytes_live|conv_bytes_formula|conv_bytes_live|peak_bytes|plan_sha)":)' "$1" |
        tr -d ' ,'
}

starts() { # shard
    grep -c "^shard $1/$shards on" "$scratch/out/shard-$1.log"
}

[ -x "$attnbench" ] || give_up "$attnbench is not built"
set_up
"$attnbench" sweep "${sweep[@]}" --out "$scratch/single.json" >"$scratch/single.log" 2>&1 &
single=$!
hold_cases

ATTNBENCH=$attnbench harness/slurm/attnbench.sbatch $shards "$scratch/out" "${sweep[@]}" -- --time=10 >"$scratch/submitted" 2>&1
job=$(sed -n 's/^Submitted batch job //p' "$scratch/submitted")
[ -n "$job" ] || give_up "$(cat "$scratch/submitted")"
within 60 all_in_flight || give_up "three shards do not get to their second case"
lost=$(node_of 1) taken=$(node_of 2)

kill_node "$lost"
urgent=$(sbatch --parsable -p urgent -w "$taken" --exclusive -o /dev/null --wrap true)
scancel --batch --signal=USR1 "${job}_3" 2>/dev/null # says that it cannot, and does
check "a job of a higher partition takes the node of a shard" within 30 is_over "$urgent"
touch "$scratch/go"
check "the node that failed is noticed" within 60 node_is_down "$lost"
check "all shards end" within 600 is_over "$job"
check "the shard whose node failed was started again" [ "$(starts 1)" -eq 2 ]
check "the shard that was preempted was started again" [ "$(starts 2)" -eq 2 ]
check "the shard whose time was up was started again" [ "$(starts 3)" -eq 2 ]

check "the single run ends" wait $single
check "merge takes all of them" "$attnbench" merge "$scratch"/out/shard-*.json --out "$scratch/merged.json"
check "names, bytes and plan are those of a single run" diff <(facts "$scratch/single.json") <(facts "$scratch/merged.json")
check "every case is there once" [ -z "$(grep -E '^ *"name":' "$scratch/merged.json" | sort | uniq -d)" ]
check "two cases were lost in flight, and no third" grep -q '"interrupted": 2,' "$scratch/merged.json"
check_study
[ $failed -eq 0 ] || show_logs
conclude
