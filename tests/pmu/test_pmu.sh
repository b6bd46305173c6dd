#!/usr/bin/env bash
# make test-pmu: attnbench on two emulated arm64 CPUs that have a PMU, on any machine; docs/pmu.md.
# Ends with "N passed, N failed, N skipped". Exit status: 0 passed, 1 failed, 3 nothing could be run.
set -u
cd "$(dirname "$0")/../.." || exit
here=tests/pmu
pmu=${BUILD:-build}/pmu
step=pmu
. tests/support/step.sh

need_tools() {
    local tool missing=()
    for tool in qemu-system-aarch64 aarch64-linux-gnu-gcc aarch64-linux-gnu-g++ cpio jq pkg-config; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} -eq 0 ] ||
        skip_all "missing: ${missing[*]} (./run_all.sh test-pmu installs the packages: lines run and pmu of packages.txt)"
}

build() {
    local jobs=() log=$pmu/build.log status=0
    case ${MAKEFLAGS:-} in *jobserver*) ;; *) jobs=(-j"$(nproc)") ;; esac
    $here/fetch.sh "$pmu/arm64" >"$pmu/fetch.log" 2>&1 || status=$?
    cat "$pmu/fetch.log"
    [ $status -ne 3 ] || skip_all "$(tail -n 1 "$pmu/fetch.log")"
    [ $status -eq 0 ] || fail_all "fetch.sh stopped with status $status"
    "${MAKE:-make}" "${jobs[@]}" pmu-build >"$log" 2>&1 || {
        tail -n 20 "$log"
        fail_all "attnbench does not build for arm64 ($log)"
    }
    $here/initramfs.sh "$pmu/arm64/root" "$pmu/initramfs" "$pmu/build/attnbench" $here/guest.sh $here/plan.yaml \
        $here/native.yaml $here/encoder.yaml "$pmu/build/hold" ||
        fail_all "no initramfs"
}

boot_twice() { # name cpu: one after the other, so that a busy host has one more to run
    local out status
    for out in "$1" "$1.again"; do
        status=0
        $here/boot.sh "$2" "$pmu/arm64/kernel" "$pmu/initramfs" "$pmu/$out" 2>"$pmu/boot.log" &
        wait $! || status=$? # and not in the foreground, where no signal would be heeded
        cat "$pmu/boot.log" >&2
        [ $status -ne 3 ] || skip_all "$(tail -n 1 "$pmu/boot.log")"
        [ $status -eq 0 ] || return
    done
}

holds() { # file jq-expression
    jq -e "$2" "$1" >"$pmu/jq.out" 2>&1 && return
    echo "  $1: does not hold: $2" >&2
    return 1
}

reading() { # file event: of every repetition
    jq -c "[.benchmarks[] | select(.run_type == \"iteration\") | .counters.$2]" "$1"
}

all_done() { # folder: every command of guest.sh ended well (of validate, the table counts)
    local status
    for status in "$1"/*.status; do
        [ "$(cat "$status")" -eq 0 ] || [ "${status##*/}" = validate.status ] && continue
        echo "  $status: $(cat "$status" "${status%.status}.err")"
        return 1
    done
}

# counters list: both hardware events everywhere come from one source.
from() { # file source
    holds "$1" 'map(select(.event == "cycles" or .event == "instructions"))
        | length == 2 and all(.available and .source == "'"$2"'")'
}

refused_with_remedy() { # folder
    [ "$(cat "$1/paranoid")" = 3 ] &&
        holds "$1/refused.out" 'map(select(.event == "cycles" or .event == "instructions"))
            | length == 2 and all((.available | not) and (has("source") | not)
                and (.reason | test("papi: .*paranoid=3; sysctl kernel.perf_event_paranoid=2") and test("perf: .*perf_event_paranoid is 3.*=2.*CAP_PERFMON")))'
}

fell_back() { # folder: the new CPU. Why PAPI was passed over is reported where perf has no such event either.
    from "$1/list.out" perf &&
        holds "$1/list.out" 'map(select(.event == "dtlb_misses")) | all(.reason | test("papi: .*does not exist: PAPI 7.* has no presets at all for this CPU.*; perf: "))'
}

# The clock follows from cycles and time: 1 GHz, less what the kernel takes of the time.
clocked() { # sweep
    holds "$1" '[.benchmarks[] | select(.run_type == "iteration") | .derived.ghz] | length == 3
        and all(.value > 0.9 and .value < 1.01 and .validation == "trusted")'
}

# Every instruction takes two cycles of the emulated clock (-icount shift=1, 1 GHz).
two_cycles_each() { # sweep
    holds "$1" '[.benchmarks[] | select(.run_type == "iteration") | .counters] | length == 3
        and all(.instructions.value > 10000 and .cycles.value == 2 * .instructions.value)'
}

# As many iterations in every process (plan.yaml): what a process counts is compared with what another one does.
two_iterations() { # sweep
    holds "$1" '[.benchmarks[] | select(.run_type == "iteration") | .iterations] == [2, 2, 2]'
}

swept() { # folder source
    holds "$1/sweep.json" '.context.attnbench.failed == 0 and
        ([.benchmarks[] | select(.run_type == "iteration")] | length == 3 and
         all(.check.max_error <= .check.limit and .counters.instructions.source == "'"$2"'"
             and .counters.instructions.validation == "trusted" and .derived.ipc.value == 0.5
             and ([.counters[] | select(.validation == "trusted" or .validation == "scaled") | .value] | all(. >= 0))))' &&
        two_cycles_each "$1/sweep.json" && two_iterations "$1/sweep.json"
}

same_instructions() { # sweep sweep
    local a b
    a=$(reading "$1" instructions) b=$(reading "$2" instructions)
    [ -n "$a" ] && [ "$a" = "$b" ] && return
    echo "  $1: $a, $2: $b"
    return 1
}

# On two machines: the same number in every process. One process on each may have a few more, in all and not in each
# iteration: where the clock passes a full second, the vDSO's clock_gettime executes 9 more, until the kernel's next tick.
same_but_for_seconds() { # sweep sweep
    two_iterations "$1" && two_iterations "$2" || return
    jq -se '[.[] | [.benchmarks[] | select(.run_type == "iteration") | .counters.instructions.value * .iterations | round] | sort]
        | all(length == 3 and .[0] > 10000 and .[1] == .[0] and .[2] - .[0] < 32) and .[0][0] == .[1][0]' "$1" "$2" >"$pmu/jq.out" && return
    echo "  $1: $(reading "$1" instructions), $2: $(reading "$2" instructions)"
    return 1
}

# PAPI's own instructions around the region are all that it may add.
sources_agree() { # folder
    jq -se '[.[] | .benchmarks[0].counters.instructions.value] | (.[0] / .[1] - 1) | . >= 0 and . < 0.002' \
        "$1/sweep.json" "$1/sweep-perf.json" >/dev/null && return
    echo "  papi: $(reading "$1/sweep.json" instructions), perf: $(reading "$1/sweep-perf.json" instructions)"
    return 1
}

same_form() { # sweep sweep: the same fields, but for what stands in a counter, and which rates follow from those there are
    local form='[paths | map(if type == "number" then 0 else . end) | if index("counters") then .[:index("counters") + 2] else . end
        | if index("counters_by_part") then .[:index("counters_by_part") + 2] else . end
        | index("derived") as $at | if $at and length > $at + 1 then .[:$at + 1] + ["rate"] + .[$at + 2:] else . end] | unique'
    [ -s "$1" ] && [ -s "$2" ] && [ "$(jq -c "$form" "$1")" = "$(jq -c "$form" "$2")" ]
}

# Nothing that only looks like a count: a region with loops has branches.
no_zero_branches() { # sweep
    holds "$1" '[.benchmarks[] | select(.run_type == "iteration") | .counters.branches] | length == 3
        and all(has("unavailable") or .value > 0)'
}

# One group: its events and no others, and what follows from them.
grouped() { # folder source
    holds "$1/sweep-group.json" '.context.attnbench.group == {"name": "basic", "passes": 1} and
        ([.benchmarks[] | select(.run_type == "iteration")] | length == 3 and
         all((.counters | keys) == ["cycles", "instructions"] and .derived.ipc.source == "'"$2"'" and .derived.ipc.value == 0.5))'
}

# A native event of PAPI, by the second of its names. No kernel has a known answer for it, so that it is unchecked, and so is what follows from it.
native() { # folder
    holds "$1/sweep-native.json" '[.benchmarks[] | select(.run_type == "iteration")] | length == 3 and
        all(.counters.retired.source == "papi_native" and .counters.retired.validation == "unchecked"
            and (.counters.retired.value / .counters.instructions.value - 1 | . > -0.002 and . < 0.002)
            and .derived.share.validation == "unchecked")'
}

# Every part of an encoder has its instructions, and together they are those of an iteration.
split() { # folder source
    holds "$1/sweep-encoder.json" '.benchmarks[0] | .counters.instructions.value as $whole | .counters_by_part
        | (keys == ["attention", "convolution", "feed_forward", "other", "subsampling"]) and
        all(.[].instructions; .source == "'"$2"'" and .validation == "trusted" and .value > 1000) and
        ([.[].instructions.value] | add / $whole - 1 | . > -0.02 and . < 0.02)'
}

same_parts() { # sweep sweep
    [ "$(jq -c '.benchmarks[0].counters_by_part | length' "$1")" -eq 5 ] &&
        [ "$(jq -c '.benchmarks[0].counters_by_part' "$1")" = "$(jq -c '.benchmarks[0].counters_by_part' "$2")" ]
}

# A layer too: parts of attention, which are attention exactly.
split_layer() { # folder source
    holds "$1/sweep-encoder.json" '[.benchmarks[] | select(.name | startswith("attention/"))][0].counters_by_part
        | (.attention.instructions.value) as $whole | with_entries(select(.key | startswith("attention/"))) | map_values(.instructions)
        | (keys == ["attention/cache_write", "attention/core", "attention/projections", "attention/rest"]) and
        all(.[]; .source == "'"$2"'" and .validation == "trusted" and .value > 0) and ([.[].value] | add) == $whole'
}

# With five of the six counters held by others, those that are left have cycles and instructions, right as ever.
counts_what_is_left() { # folder
    [ "$(cat "$1/held")" = "held 5" ] &&
        holds "$1/sweep-held.json" '[.benchmarks[] | select(.run_type == "iteration") | .counters] | length == 3
            and all(.cycles.source == "perf" and .instructions.source == "perf" and .instructions.validation == "trusted"
                and .cycles.validation == "trusted")' &&
        two_cycles_each "$1/sweep-held.json" &&
        jq -se '[.[] | [.benchmarks[] | select(.run_type == "iteration") | .counters.instructions.value]] | transpose
            | length == 3 and all(.[0] / .[1] - 1 | . > -0.001 and . < 0.001)' "$1/sweep-held.json" "$1/sweep-perf.json" >"$pmu/jq.out" && return
    cat "$1/held"
    echo "  held: $(reading "$1/sweep-held.json" instructions), without: $(reading "$1/sweep-perf.json" instructions)"
    return 1
}

# info --new-cpu reports what the kernel opened and what PAPI knows, and at paranoid 3 that both were refused.
reported() { # folder presets
    grep -qE '^\| yes \| .*[ ,]instructions [1-9][0-9]{6,}' "$1/new-cpu.out" &&
        grep -qE "^\| presets that exist \| $2 of [0-9]+" "$1/new-cpu.out" &&
        grep -qE '^\| CPU part \| 0xd' "$1/new-cpu.out" &&
        grep -qE '^\| (papi|perf) \| trusted \| cycles, instructions' "$1/new-cpu.out" &&
        grep -qE '^\| EACCES \| .*instructions' "$1/new-cpu-refused.out" &&
        grep -qE '^\| administrator \| perf_event_paranoid is 3' "$1/new-cpu-refused.out" &&
        grep -qE '^\| component perf_event \| disabled: .*paranoid' "$1/new-cpu-refused.out" && return
    grep -hE '^\| (yes|EACCES|administrator|presets|CPU part|papi|perf|component perf_event) ' "$1"/new-cpu*.out >&2
    return 1
}

# Which counters `counters validate` trusts: those that QEMU models, and no other.
validated() { # folder
    holds "$1/validate.out" '.metrics | (map(select((.name == "instructions" or .name == "cycles")
        and (.source == "papi" or .source == "perf") and .status != "unavailable"))
            | length > 0 and all(.status == "trusted")) and
        (map(select((.name == "branches" or .name == "branch_misses") and (.source == "papi" or .source == "perf")))
            | length > 0 and all(.status == "rejected" or .status == "unavailable"))'
}

check_validation() { # name
    if [ -e "$pmu/$1/validate.out" ]; then
        check "$1: instructions and cycles are trusted, branch counts are not" validated "$pmu/$1"
    else
        echo "[  SKIPPED ] $1: this attnbench has no counters validate"
        skipped=$((skipped + 1))
    fi
}

check_machine() { # name source presets
    local out=$pmu/$1
    check "$1: every command ends well" all_done "$out"
    check "$1: an ordinary user is refused at perf_event_paranoid 3, and sees the remedy" refused_with_remedy "$out"
    check "$1: at perf_event_paranoid 3 perf still counts for root, where PAPI does not" from "$out/root.out" perf
    check "$1: one attention case, counted by $2, two cycles to an instruction" swept "$out" "$2"
    check "$1: each repetition has the clock that it ran at" clocked "$out/sweep.json"
    check "$1: one group of counters" grouped "$out" "$2"
    check "$1: a native event of PAPI" native "$out"
    check "$1: two boots count the same instructions" same_instructions "$out/sweep.json" "$out.again/sweep.json"
    check "$1: no branches are reported rather than 0" no_zero_branches "$out/sweep.json"
    check "$1: an encoder is counted by part" split "$out" "$2"
    check "$1: a layer is counted by part of attention" split_layer "$out" "$2"
    check "$1: cycles and instructions are counted where others hold all counters but two" counts_what_is_left "$out"
    check "$1: two boots count the same by part" same_parts "$out/sweep-encoder.json" "$out.again/sweep-encoder.json"
    check "$1: info --new-cpu reports what there is" reported "$out" "$3"
    check_validation "$1"
}

trap 'kill $(jobs -p) 2>/dev/null' EXIT
trap 'exit 143' TERM INT
need_tools
mkdir -p "$pmu"
build
boot_twice a57 cortex-a57,pmu=on || fail_all "the A57 does not boot"
boot_twice n1 neoverse-n1,pmu=on || fail_all "the N1 does not boot"
check_machine a57 papi "[1-9][0-9]*"
check "a57: PAPI's presets count" from "$pmu/a57/list.out" papi
check "a57: PAPI and perf agree" sources_agree "$pmu/a57"
check_machine n1 perf 0
check "n1: PAPI has no presets for this CPU, perf counts" fell_back "$pmu/n1"
check "perf counts the same instructions on both" same_but_for_seconds "$pmu/a57/sweep-perf.json" "$pmu/n1/sweep.json"
check "both results files have the same form" same_form "$pmu/a57/sweep.json" "$pmu/n1/sweep.json"
conclude
