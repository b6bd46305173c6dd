#!/usr/bin/env bash
# Counters on CPUs that are not here: a preloaded PMU (tests/pmu_shim/perf_shim.c) whose values are invented, so that
# what is tested is which events get a counter, and what is said of those that get none.
. "$(dirname "$0")/../support/check.sh"
shim=$PWD/${BUILD:-build}/tests/perf_shim.so
if [ ! -e "$shim" ] || "$ATTNBENCH" info | grep -q fsanitize; then
    echo "[  SKIPPED ] counters on emulated CPUs: no shim, or a sanitizer that has to be loaded first"
    exit 0
fi
bench=(bench --case attention/mha/decode/L:100/h:2/d:32 --benchmark_min_time=0.001 --benchmark_repetitions=1 --benchmark_format=json)
if "$ATTNBENCH" "${bench[@]}" --counters perf 2>/dev/null | grep -q '"counter.cycles": "perf"'; then
    echo "[  SKIPPED ] counters on emulated CPUs: this machine has a PMU of its own, which PAPI would look at"
    exit 0
fi

with() { # NAME=VALUE... -- attnbench's words; what it prints goes to out and err
    local settings=()
    while [ "$1" != -- ]; do
        settings+=("$1")
        shift
    done
    shift
    env "${settings[@]}" LD_PRELOAD="$shim" "$ATTNBENCH" "$@" >"$scratch/out" 2>"$scratch/err"
}
counted() { # source events...: each is available, from that source
    local source=$1 event
    shift
    for event; do
        grep -q "\"counter.$event\": \"$source\"" "$scratch/out" || { echo "$event is not counted by $source"; return 1; }
    done
}
says() { grep -qE "$1" "$scratch/out"; }

# Others hold all counters but two (the NMI watchdog, a hypervisor): the two most wanted are counted.
check "two of six counters are free" with PERF_SHIM_COUNTERS=6 PERF_SHIM_HELD=4 -- "${bench[@]}" --counters perf
check "cycles and instructions have them" counted perf cycles instructions
check "the others: none is left" says '"counter.branches": ".*no counter is left'
check "with four held, PAPI" with PERF_SHIM_COUNTERS=6 PERF_SHIM_HELD=4 LIBPFM_FORCE_PMU=icx -- "${bench[@]}" --counters papi
check "counts cycles and instructions too" counted papi cycles instructions

# Presets that this CPU lacks have a fall-back each, and the results say which it was.
check "Ice Lake by PAPI" with PERF_SHIM_COUNTERS=20 LIBPFM_FORCE_PMU=icx -- "${bench[@]}" --counters papi
check "has misses of L2 and L3, reads and writes" counted papi l2_misses llc_misses l1d_reads l1d_writes
for preset in PAPI_L2_LDM PAPI_L3_LDM PAPI_LD_INS PAPI_SR_INS; do
    check "by $preset" says "\"event.*\": \"$preset\""
done
check "and TLB misses, for which it has none" counted papi_native dtlb_misses
check "Zen 4, which PAPI has no presets for" with PERF_SHIM_COUNTERS=20 LIBPFM_FORCE_PMU=amd64_fam19h_zen4 -- "${bench[@]}" --counters papi
check "counts by native events" counted papi_native cycles instructions branches branch_misses l2_misses dtlb_misses

# Four counters, as x86 kernels report that: EINVAL when the fifth event joins the group. A region counts the same each
# time, and a repetition is one iteration, so that all passes agree.
pmus=$scratch/pmus
put() { mkdir -p "$pmus/${1%/*}" && echo "$2" >"$pmus/$1"; }
put four/cpu/type 4
put four/cpu/format/event config:0-7
put four/cpu/format/umask config:8-15
put four/cpu/format/pc config:19
put four/cpu/events/stall_frontend event=0x23
put four/cpu/events/stall_backend event=0x24
cat >"$scratch/slow.yaml" <<'END'
summary: one case of more than the shortest time
repetitions: 2
cases: [attention/mha/prefill/L:100/h:2/d:32/impl:scalar]
END
passes() { sed -nE 's/.*"passes": *([0-9]+).*/\1/p' "$scratch/$1.json"; }
several() { [ "$(passes "$1")" -gt 1 ]; }
reached() { tr -d '\n' <"$scratch/$1.json" | tr -s ' ' | grep -qE "\"$2\": \{ \"source\": \"$3\", \"value\""; }
in_passes() { # group source kind events...: each is counted by that source, an event of a CPU as that kind
    local file=$1.$2 event source
    check "group $1 by $2 with four counters" with PERF_SHIM_COUNTERS=4 PERF_SHIM_L3=2M PERF_SHIM_STEADY=1 LIBPFM_FORCE_PMU=icx \
        ATTNBENCH_PMU_DEVICES="$pmus/four" -- sweep --plan "$scratch/slow.yaml" --min-time 0.0001 --rounds 1 --group "$1" \
        --counters "$2" --out "$scratch/$file.json"
    check "takes several passes" several "$file"
    for event in "${@:4}"; do
        source=$2
        [[ $event = native:* ]] && source=$3
        check "$1: ${event#native:} is counted by $source" reached "$file" "${event#native:}" "$source"
    done
}
floats=(native:fp_{scalar,128,256,512}_single)
in_passes flops papi papi_native instructions "${floats[@]}"
in_passes flops perf perf instructions "${floats[@]}"
in_passes cache papi papi_native instructions l1d_reads l1d_writes l1d_misses l2_misses llc_misses
in_passes cache perf perf instructions l1d_reads l1d_writes l1d_misses llc_misses llc_accesses
in_passes stalls papi papi_native instructions native:stalled_cycles native:slots native:uops_not_delivered native:uops_retired
in_passes stalls perf perf instructions stalled_cycles stall_frontend stall_backend

# Events of top-down on a Zen 4, by raw codes, and on a Neoverse V2, by the kernel's names: each reads what its code counts.
# (test_topdown has the formulas; here cycles are not those of the loops that validate them.)
reads() { tr -d '\n' <"$scratch/$1.json" | tr -s ' ' | grep -qE "\"$2\": \{ \"source\": \"perf\", \"value\": $3(\.0)?,"; }
topdown() { # file, identity, "TYPE:CODE=event..."
    local values='' number=1000 row
    for row in $3; do
        values+=${row%=*}=$((number += 1000)),
    done
    check "top-down of $2" with PERF_SHIM_COUNTERS=6 PERF_SHIM_L3=2M PERF_SHIM_STEADY=1 PERF_SHIM_VALUES="$values" ATTNBENCH_CPU_IDENTITY="$2" \
        ATTNBENCH_PMU_DEVICES="$pmus/$1" -- sweep --plan "$scratch/slow.yaml" --min-time 0.0001 --rounds 1 --group topdown \
        --counters perf --out "$scratch/$1.json"
    check "takes several passes" several "$1"
    number=1000
    for row in $3; do
        check "${row%=*} is ${row#*=}" reads "$1" "${row#*=}" $((number += 1000))
    done
}
put zen4/cpu/type 4
put zen4/cpu/format/event config:0-7,32-35
put zen4/cpu/format/umask config:8-15
put zen4/cpu/format/cmask config:24-31
topdown zen4 AuthenticAMD-25-11-1 "4:0xc1=ops_retired 4:0x7aa=ops_dispatched 4:0x1000001a0=slots_no_op 4:0x100001ea0=slots_blocked
    4:0x1000060a0=slots_of_other_thread 4:0x1060001a0=no_op_cycles_of_6 4:0xa2d6=waits_for_load 4:0x2d6=waits_for_any
    4:0x1000000c2=ops_of_microcode 4:0x96=resyncs"
put v2/armv8_pmuv3_0/type 8
put v2/armv8_pmuv3_0/cpus 0-1023
put v2/armv8_pmuv3_0/format/event config:0-15
for event in stall_slot:0x3f stall_slot_frontend:0x3e stall_slot_backend:0x3d op_retired:0x3a op_spec:0x3b; do
    put "v2/armv8_pmuv3_0/events/${event%:*}" "event=${event#*:}"
done
topdown v2 0x00000000410fd4f0 "8:0x3f=stall_slot 8:0x3e=stall_slot_frontend 8:0x3d=stall_slot_backend 8:0x3a=op_retired 8:0x3b=op_spec"

check "top-down of a Zen 4 by PAPI" with PERF_SHIM_COUNTERS=20 LIBPFM_FORCE_PMU=amd64_fam19h_zen4 ATTNBENCH_CPU_IDENTITY=AuthenticAMD-25-11-1 -- \
    "${bench[@]}" --counters papi --group topdown
check "has the same events" counted papi_native ops_retired ops_dispatched slots_no_op slots_blocked no_op_cycles_of_6 waits_for_load resyncs

# The same code is another event on another vendor's CPU: AMD's FLOPs are asked for there alone.
check "FLOPs of a Zen 3 by perf" with PERF_SHIM_COUNTERS=6 PERF_SHIM_STEADY=1 PERF_SHIM_VALUES=4:0xf03=123456 ATTNBENCH_PMU_DEVICES="$pmus/zen4" \
    ATTNBENCH_CPU_IDENTITY=AuthenticAMD-25-21-0 -- "${bench[@]}" --counters perf --group flops
check "are counted" counted perf fp_any
check "by AMD's event" says '"event.fp_any": "cpu/event=0x03,umask=0x0f/"'
check "those of an Intel CPU" with PERF_SHIM_COUNTERS=6 ATTNBENCH_PMU_DEVICES="$pmus/four" ATTNBENCH_CPU_IDENTITY=GenuineIntel-6-6A-6 -- \
    "${bench[@]}" --counters perf --group flops
check "are not asked for by it" says '"counter.fp_any": "unavailable: an event of other CPUs"'

# Apple's driver wants exclude_guest.
check "a driver that wants exclude_guest" with PERF_SHIM_EXCLUDE_GUEST=1 -- "${bench[@]}" --counters perf
check "counts" counted perf cycles instructions branches

# An event that no kernel here has a known answer for is shown, as unchecked.
check "validation" with PERF_SHIM_COUNTERS=16 -- counters validate --counters perf --group stalls --format csv
check "stalled cycles are unchecked" says '^stalled_cycles,perf,unchecked,'

# A hybrid machine: generic events count on the kind of core that runs, and events by the kernel's names too.
rm -r "$pmus"
put cpu_core/type 4
put cpu_core/cpus 0
put cpu_atom/type 10
put cpu_atom/cpus 1
for kind in core atom; do
    put cpu_$kind/format/event config:0-7
    put cpu_$kind/format/umask config:8-15
    put cpu_$kind/events/slots event=0x00,umask=0x04
done
put power/type 22
put power/cpumask 0
put power/format/event config:0-7
put power/events/energy-pkg event=0x02
put power/events/energy-pkg.scale 2.5e-10
hybrid=("PERF_SHIM_TYPES=4:0,10:1,22:0-1" ATTNBENCH_PMU_DEVICES="$pmus" PERF_SHIM_LOG="$scratch/log")
on_cpu() { taskset -c "$1" env "${hybrid[@]}" LD_PRELOAD="$shim" "$ATTNBENCH" "${@:2}" >"$scratch/out" 2>"$scratch/err"; }
opened() { grep -q "$1" "$scratch/log"; }
value_of() { sed -nE "s/^ *\"$1\": ([0-9.e+]+),?$/\1/p" "$scratch/out" | head -n 1; }
if [ "$(nproc)" -ge 2 ] && command -v taskset >/dev/null; then
    check "on a P core" on_cpu 0 "${bench[@]}" --counters perf
    check "cycles are those of its PMU" opened "type 0 config 0x400000000 "
    check "energy is counted in every row" counted perf energy_package
    check "that of the memory is not, as this machine does not say it" says '"counter.energy_memory": "unavailable: perf: power has no term energy-ram'
    check "and count" [ -n "$(value_of cycles)" ]
    rm "$scratch/log"
    check "on an E core" on_cpu 1 "${bench[@]}" --counters perf
    check "cycles are those of the other PMU" opened "type 0 config 0xa00000000 "
    check "and count" [ -n "$(value_of cycles)" ]
    cat >"$scratch/raw.yaml" <<'END'
summary: events by the kernel's names
needs: a PMU with these
events: [cycles]
natives:
  - {name: raw, about: a raw event, perf: [no_such_event, "cpu_core/event=0x3c,umask=0x01/"]}
  - {name: slots, about: a named one, perf: [slots]}
  - {name: joules, about: energy of the socket, perf: [power/energy-pkg/]}
formulas:
  - {name: raw_per_cycle, about: of both, formula: raw / cycles}
END
    check "a group with a raw event of a PMU" on_cpu 0 sweep --plan tests/data/one_case.yaml --cpu 0 --group "$scratch/raw.yaml" --counters perf \
        --out "$scratch/raw.json"
    marked() { tr -d '\n' <"$scratch/raw.json" | tr -s ' ' | grep -qE "\"$1\": \{ \"source\": \"perf\", \"value\": [0-9.e-]+, \"event\": \"$3\", \"validation\": \"$2\""; }
    check "it is counted by the second of its names, unchecked" marked raw unchecked cpu_core/event=0x3c,umask=0x01/
    check "so is one of an event file" marked slots unchecked slots
    check "and energy, which belongs to no thread" marked joules unchecked power/energy-pkg/
    check "the report" "$ATTNBENCH" report "$scratch/raw.json" --out "$scratch/report"
    check "shows it and says so" grep -q 'raw (unchecked)' "$scratch/report/tables/counter_values.md"
    check "counters events" on_cpu 0 counters events --format csv
    check "lists what the kernel names" grep -q '^cpu_core/slots/,"event=0x00,umask=0x04",yes,thread,' "$scratch/out"
    check "and what counts for the whole machine" grep -q '^power/energy-pkg/,event=0x02,yes,machine,' "$scratch/out"
else
    echo "[  SKIPPED ] hybrid machines: needs two CPUs and taskset"
fi
exit $failed
