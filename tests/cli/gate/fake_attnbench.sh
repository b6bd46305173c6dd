#!/bin/bash
# Stands for attnbench in tests of the gate: answers to `bench --case ROW` with times of our choice, in a few
# milliseconds. $0.conf, or $FAKE_CONF where the program is copied once more, may set slow (percent), spread
# (percent), bytes and peak for rows with $victim in them, or `behave` (drag: all answers but the first take `drag`
# seconds more); `pause`, seconds before each answer; and turns=1 or 2: it takes turns (bench/turns/turn_lines.h) of that
# version. wrapped=1: the process that answers is a child of this one.
# `seed` makes the noise the same each time. Copied under the names of the programs that a test wants.
victim=/ slow=0 spread=1 bytes=0 peak=0 behave="" pause=0 seed="" turns=0 wrapped=0 drag=1
conf=${FAKE_CONF:-$0.conf}
[ -e "$conf" ] && . "$conf"
if [ "$1" = info ]; then # the same each time, and FAKE_INFO remembers it
    if [ -n "${FAKE_INFO:-}" ]; then read -r -d "" said <"$FAKE_INFO"; else said=$("$ATTNBENCH" info --format json); fi
    echo "${said/\"turns\": 2/\"turns\": $turns}"
    exit
fi
if [ $wrapped = 1 ] && [ -z "${FAKE_WRAPPED:-}" ]; then # a script around a program
    FAKE_WRAPPED=1 "$0" "$@"
    exit
fi
in_turns=0
for argument; do [ "$argument" != --turns ] || in_turns=1; done

# Text of its time in ns, in thousandths of which it is `time`, and `hit`; or it behaves as it is to.
take() { # row
    full=$1 more=$slow
    [ "$pause" = 0 ] || sleep "$pause"
    [ -z "$seed" ] || RANDOM=$((seed + ${#full}))
    case $full in *$victim*) hit=1 ;; *) hit=0 ;; esac
    if [ $hit = 1 ]; then
        case $behave in
        missing) echo "attnbench bench: row \"$full\": no such thing" >&2; exit 2 ;;
        wrong) echo '{"context": {}, "benchmarks": [{"name": "x", "run_type": "iteration", "error_occurred": true, "error_message": "check failed: off by a mile"}]}'; exit 1 ;;
        crash) kill -SEGV $$ ;;
        crash_later) echo >>"$0.calls"; [ "$(wc -l <"$0.calls")" -lt 9 ] || kill -SEGV $$ ;;
        babble) echo "not JSON"; exit 0 ;;
        nan) more=NaN ;;
        latin) # shellcheck disable=SC2183 # 300 bytes of nothing
            printf 'attnbench bench: caf\351: %300s\316\n' | tr ' ' '\316' >&2; exit 1 ;;
        drag) echo >>"$0.calls"; [ "$(wc -l <"$0.calls")" -eq 1 ] || sleep "$drag" ;;
        wait) echo $$ >"${conf%.conf}.mark"; exec sleep 60 ;;
        esac
    else
        more=0 bytes=0 peak=0
    fi
    if [ -n "${ATTNBENCH_DELAY:-}" ] && [[ $full =~ ${ATTNBENCH_DELAY%=*} ]]; then
        more=${ATTNBENCH_DELAY##*=}
        more=${more%\%}
    fi
    time=$((10000000 + 100000 * more))
    wide=$((time / 100 * spread))
    time=$((time + (RANDOM * 32768 + RANDOM) % (2 * wide + 1) - wide))
    printf -v text "%d.%03d" $((time / 1000)) $((time % 1000))
    [ "$more" != NaN ] || text=NaN
}

answer() { # order: as a program that takes turns
    local word=$1 count=$2 times=${3:-1} i
    [ "$word" = go ] || { [ "$word" = case ] && take "$3" && echo "ready 2"; [ "$word" = move ] && echo "moved 4096"; return; }
    if [ $hit = 1 ]; then
        case $behave in
        turn_dies) kill -SEGV $$ ;;
        turn_hangs) echo $$ >"${conf%.conf}.mark"; exec sleep 60 ;;
        turn_stops) echo $$ >"${conf%.conf}.mark"; kill -STOP $$ ;;
        turn_babbles) echo "hello"; return ;;
        esac
    fi
    for ((i = 0; i < times; i++)); do
        echo "done $((time / 1000 * count)) $((time / 1000 * count))"
    done
}

row=
while [ $# -gt 0 ]; do
    [ "$1" != --case ] || row=$2
    shift
done
[ -z "$row" ] || take "$row"
if [ $in_turns = 1 ]; then
    [ -z "$row" ] || echo "ready 1"
    while read -r -a order && [ "${order[0]}" != quit ]; do
        answer "${order[@]}"
    done
    exit
fi
printf '{"context": {}, "benchmarks": ['
for i in 0 1 2; do
    [ $i = 0 ] || printf ,
    printf '{"name": "%s", "run_name": "%s", "run_type": "iteration", "family_index": 0, "per_family_instance_index": 0, "threads": 1, "repetitions": 3, "repetition_index": %d, "iterations": 9, "real_time": %s, "cpu_time": %s, "time_unit": "ns", "flops": 1, "bytes": 1, "kv_bytes_formula": 64, "kv_bytes_live": %d, "peak_bytes": %d}' \
        "$full" "$full" $i "$text" "$text" $((64 + bytes)) $((4096 + peak))
done
echo ']}'
