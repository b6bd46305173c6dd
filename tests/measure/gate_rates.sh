#!/usr/bin/env bash
# How often the gate is right on this host, as whole runs of it, with exact (Clopper-Pearson) intervals. Not part of
# `make test`: a condition takes an hour or more.
#
#   tests/measure/gate_rates.sh CONDITION STATE_DIR
#
# A condition is what else the host does, and how much slower one case of the candidate is, in per cent:
#
#   idle-0 idle-2 idle-5        nothing is started
#   memory-0 memory-1 memory-2  a program that reads from memory all the time on the other CPU
#   loops-0 loops-5             four busy loops on two CPUs, that of the gate among them
#   shared-0 shared-1 shared-2 shared-5
#                               nothing is started either: for a host that others use. Say what else ran
#   second-0 second-1           nothing is started; one second a case
#   instructions-1              by simulated instructions, where load does not matter
#
# Each finished run is a line of STATE_DIR/CONDITION.journal, and the same command goes on where it was stopped (Ctrl-C
# is fine). The program is copied into STATE_DIR the first time, so that later builds do not change what is measured.
# STATE_DIR/log says when each part ran, and under which load.
#
# RUNS=100          in all, of each kind
# MINUTES=0         at most that long now (0: no limit). RUNS=1 prints what is there
# PLAN=gate, FILTER=REGEX
# Exit status: that of `attnbench selftest` (1: there was a false alarm), 124 when the minutes were over.
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${BUILD:=build}" "${ATTNBENCH:=$PWD/$BUILD/attnbench}" "${RUNS:=100}" "${MINUTES:=0}" "${PLAN:=gate}" "${FILTER:=.}"
[ $# -eq 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 2; }
condition=$1 state=$2
measured=$(($(nproc) - 1)) other=$(($(nproc) - 2))
[ "$other" -ge 0 ] || other=0
export ATTNBENCH_HOME=$PWD

options=(--budget 60s)
case $condition in
idle-[0-9]* | shared-0 | shared-5 | memory-0 | loops-[0-9]*) options+=(--min-effect "2%") ;;
shared-2 | memory-2) options+=(--min-effect "1%") ;;
shared-1 | memory-1) options+=(--min-effect "0.5%") ;;
second-[0-9]*) options=(--budget "${SECOND_BUDGET:-12s}" --min-effect "0.5%") ;;
instructions-1) options=(--budget 10m --metric instructions) ;;
*) echo "$condition: no such condition" >&2; exit 2 ;;
esac
slow=${condition##*-}
if [ "$slow" = 0 ]; then options+=(--slow ""); else options+=(--slow "$slow" --only-slow); fi

mkdir -p "$state" || exit 2
[ -x "$state/attnbench" ] || cp "$ATTNBENCH" "$state/attnbench" || exit 2

loaders=()
# shellcheck disable=SC2317 # called by the trap
stop_loaders() {
    [ ${#loaders[@]} -eq 0 ] && return
    kill "${loaders[@]}" 2>/dev/null
    wait "${loaders[@]}" 2>/dev/null
    loaders=()
}
trap stop_loaders EXIT
trap 'exit 130' INT TERM
case $condition in
memory-*)
    taskset -c "$other" "$state/attnbench" bench --case machine/read/bytes:536870912 --counters off \
        --benchmark_repetitions=1000000 --benchmark_min_time=1 >/dev/null 2>&1 &
    loaders+=($!)
    ;;
loops-*)
    for cpu in "$measured" "$other" "$measured" "$other"; do
        taskset -c "$cpu" sh -c 'while :; do :; done' &
        loaders+=($!)
    done
    ;;
esac

echo "$(date -u +%FT%TZ) $condition starts, load $(cut -d' ' -f1-3 /proc/loadavg)" >>"$state/log"
timeout --foreground "$((MINUTES * 60))" "$state/attnbench" selftest --plan "$PLAN" --filter "$FILTER" --cpu "$measured" \
    --rounds "$RUNS" --journal "$state/$condition.journal" "${options[@]}" 2>>"$state/$condition.log"
status=$?
for loader in "${loaders[@]}"; do
    kill -0 "$loader" 2>/dev/null || { echo "a program that loads the host ended early" >&2; status=2; }
done
echo "$(date -u +%FT%TZ) $condition ends, load $(cut -d' ' -f1-3 /proc/loadavg)" >>"$state/log"
[ "$status" -le 1 ] || [ "$status" -eq 124 ] || tail -n 1 "$state/$condition.log" >&2
exit $status
