#!/usr/bin/env bash
# How far the gate can be trusted on this host, as whole runs of it, with exact (Clopper-Pearson) intervals. Not part
# of `make test`: it takes an hour or more and wants a machine that does nothing else.
#
#   tests/gate_measure.sh [idle|loaded|five|three|both|instructions]...      (default: idle loaded five three instructions)
#
#   idle          no slow-down, the other core idle: false alarms
#   loaded        no slow-down, a program that reads from memory all the time on the other core
#   five, three   5% or 3% put into one case, each case in turn
#   both          five on one core and three on the other, at once: half the time, and noisier than either alone
#   instructions  by simulated instructions: no slow-down, and 1% more in one case; load does not matter
#
# RUNS=100          of each
# BUDGET=15s        of a run without a slow-down
# FIND_BUDGET=3m    of a run with one; what the issue allows
# FILTER=REGEX      only some rows of the plan (PLAN, default gate); INSTRUCTION_FILTER for instructions
# MINUTES=0         at most that long for each scenario (0: no limit); what was not reached is reported and fails
# OUT=folder        journals and tables, default $BUILD/gate-measure. Each run is kept: the same command goes on where
#                   it was stopped (Ctrl-C is fine). Another budget, plan or build needs another OUT.
#                   RUNS=1 prints what is there.
# Exit status: 0 when every rate asked for was met in the runs made, 1 otherwise.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${ATTNBENCH:=$PWD/$BUILD/attnbench}" "${RUNS:=100}" "${BUDGET:=15s}" "${FIND_BUDGET:=3m}" "${MINUTES:=0}"
: "${PLAN:=gate}" "${FILTER:=.}" "${INSTRUCTION_FILTER:=mha/decode|gqa/decode|linear/decode|mla_simple/decode}"
: "${OUT:=$BUILD/gate-measure}"
mkdir -p "$OUT" || exit 2
measured=$(($(nproc) - 1)) other=$(($(nproc) - 2))
loader=
[ "$other" -ge 0 ] || other=0

stop_loader() {
    [ -n "$loader" ] && kill "$loader" 2>/dev/null && wait "$loader" 2>/dev/null
    loader=
}
trap stop_loader EXIT
trap 'exit 130' INT TERM

# Reads as fast as memory allows, until it is stopped.
start_loader() {
    taskset -c "$other" "$ATTNBENCH" bench --case machine/read/bytes:536870912 --counters off \
        --benchmark_repetitions=1000000 --benchmark_min_time=1 >/dev/null 2>&1 &
    loader=$!
}

selftest() { # scenario, CPU, options
    local name=$1 cpu=$2 status
    shift 2
    timeout --foreground "$((MINUTES * 60))" taskset -c "$cpu" "$ATTNBENCH" selftest --plan "$PLAN" --cpu "$cpu" --rounds "$RUNS" \
        --journal "$OUT/$name.journal" --format csv "$@" >"$OUT/$name.csv" 2>>"$OUT/$name.log"
    status=$?
    [ "$status" -le 1 ] || [ "$status" -eq 124 ] && return
    tail -n 1 "$OUT/$name.log" >&2
    exit "$status"
}

run() {
    case $1 in
    idle) selftest idle "$measured" --filter "$FILTER" --budget "$BUDGET" --slow "" ;;
    loaded)
        start_loader
        selftest loaded "$measured" --filter "$FILTER" --budget "$BUDGET" --slow ""
        kill -0 "$loader" 2>/dev/null || { echo "the loading program ended early" >&2; exit 2; }
        stop_loader
        ;;
    five) selftest five "$measured" --filter "$FILTER" --budget "$FIND_BUDGET" --slow 5 --only-slow ;;
    three) selftest three "$measured" --filter "$FILTER" --budget "$FIND_BUDGET" --slow 3 --only-slow ;;
    both)
        selftest five "$other" --filter "$FILTER" --budget "$FIND_BUDGET" --slow 5 --only-slow &
        local side=$!
        selftest three "$measured" --filter "$FILTER" --budget "$FIND_BUDGET" --slow 3 --only-slow
        wait "$side" || exit
        ;;
    instructions)
        selftest instructions "$measured" --filter "$INSTRUCTION_FILTER" --budget 10m --metric instructions --slow 1
        ;;
    *)
        echo "$1: expected idle, loaded, five, three, both or instructions" >&2
        exit 2
        ;;
    esac
}

# A line of the table, and whether the rate was met: what of a scenario's CSV, most or least, per cent.
failed=0
judge() { # scenario, row of its table, "at most" or "at least", percent, what was wanted
    local line
    line=$(grep -F -- "$2" "$OUT/$1.csv") || line="$2,0,0,0,0,1,0,0"
    awk -F, -v scenario="$1" -v side="$3" -v percent="$4" -v wanted="$5" -v most="$RUNS" '{
        good = side == "at most" ? $3 * 100 <= percent * $2 : $3 * 100 >= percent * $2
        verdict = $2 < most ? "only " $2 " of " most " runs" : good ? "met" : "NOT MET"
        printf "| %s | %s | %d of %d | %.1f%% | %.1f%% to %.1f%% | %d | %.0f | %s | %s |\n", scenario, $1, $3, $2,
            100 * $4, 100 * $5, 100 * $6, $7, $8, wanted, verdict
        exit verdict != "met" }' <<<"$line" || failed=1
}

report() {
    case $1 in
    idle) judge idle "no slow-down: runs with a false alarm" "at most" 1 "at most 1 in 100" ;;
    loaded) judge loaded "no slow-down: runs with a false alarm" "at most" 2 "at most 2 in 100" ;;
    five)
        judge five "one case 5% slower: found" "at least" 95 "95 in 100"
        judge five "one case 5% slower: runs with a false alarm" "at most" 0 "none"
        ;;
    three)
        judge three "one case 3% slower: found" "at least" 80 "80 in 100"
        judge three "one case 3% slower: runs with a false alarm" "at most" 0 "none"
        ;;
    both) report five && report three ;;
    instructions)
        judge instructions "no slow-down: runs with a false alarm" "at most" 0 "none"
        judge instructions "one case 1% slower: found" "at least" 100 "every time"
        judge instructions "one case 1% slower: runs with a false alarm" "at most" 0 "none"
        ;;
    esac
}

[ $# -gt 0 ] || set -- idle loaded five three instructions
for scenario; do
    echo "$(date +%T) $scenario" >&2
    run "$scenario"
done
echo "Budget of a run by time: $BUDGET without a slow-down, $FIND_BUDGET with one. Plan $PLAN, $(uname -m), load now $(cut -d' ' -f1-3 /proc/loadavg)."
echo
echo "| scenario | what | runs | rate | exact 95% interval | undecided runs | seconds a run | wanted | |"
echo "|---|---|---:|---:|---:|---:|---:|---|---|"
for scenario; do
    report "$scenario"
done
exit $failed
