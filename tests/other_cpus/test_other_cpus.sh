#!/usr/bin/env bash
# Assembly for CPUs that this one is not, under qemu's user emulation: loops of known counts on arm64 and riscv64, whose
# instructions a trace counts, and what a 64-bit Arm multiplies by. That they are right, not that they are fast.
# Needs the cross compilers and qemu-user. Runs once: it builds what it runs.
. "$(dirname "$0")/../support/check.sh"
flags=(-std=c17 -O2 -static -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I. -Iimpl/include -Ibase/include)

# "COUNT SYMBOL" for each known loop that was executed: one line of the trace is one instruction.
trace() { # qemu program rounds
    local from to
    from=$(nm "$2" | awk '$3 ~ /^known_/ { print $1 }' | sort | head -n 1)
    to=$(nm "$2" | awk '$3 ~ /^known_/ { print $1 }' | sort | tail -n 1)
    "$1" -singlestep -d exec,nochain -dfilter "0x$from..0x${to%???}fff" -D "$scratch/trace" "$2" "$3" >"$scratch/said" || return
    awk '/^Trace/ { n[$NF]++ } END { for (s in n) print n[s], s }' "$scratch/trace"
}

trace_both() { # qemu program
    trace "$1" "$2" 16 >"$scratch/once" && trace "$1" "$2" 32 >"$scratch/twice"
}

# Twice the rounds execute exactly the expected number of instructions more.
as_many() { # loop
    local each once twice rounds=16
    each=$(awk -v s="$1" '$NF == s { print $1 * ($3 == "in" ? 0.5 : 1) }' "$scratch/said")
    once=$(awk -v s="$1" '$2 == s { print $1 }' "$scratch/once")
    twice=$(awk -v s="$1" '$2 == s { print $1 }' "$scratch/twice")
    [ -n "$each" ] && [ -n "$once" ] && [ "$(awk "BEGIN { print $rounds * $each }")" = $((twice - once)) ] && return
    echo "$1: $once and $twice instructions in $rounds and $((2 * rounds)) rounds, expected $each a round"
    return 1
}

loops() { # CPU compiler qemu
    if ! command -v "$3" >/dev/null || ! "$2" -E -include stdio.h -x c /dev/null >/dev/null 2>&1; then
        echo "[  SKIPPED ] known loops on $1: no $2 with its C library, or no $3"
        return
    fi
    check "known loops are built for $1" "$2" "${flags[@]}" -o "$scratch/loops" tests/other_cpus/known_loops.c "harness/counters/validate/known_loops_$1.c"
    check "they find what they should" trace_both "$3" "$scratch/loops"
    local loop
    for loop in known_adds known_independent_adds known_multiply_add known_read known_write known_chase known_branches known_syscalls; do
        check "$1: $loop executes as many instructions as it says" as_many $loop
    done
}
loops arm64 aarch64-linux-gnu-gcc qemu-aarch64
loops riscv64 riscv64-linux-gnu-gcc qemu-riscv64

units() { # CPU expected...
    local cpu=$1
    shift
    qemu-aarch64 -cpu "$cpu" "$scratch/units" >"$scratch/found" && [ "$(tr '\n' ' ' <"$scratch/found")" = "$*" ] && return
    cat "$scratch/found"
    return 1
}
if command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64 >/dev/null; then
    check "units of a 64-bit Arm are built" aarch64-linux-gnu-gcc "${flags[@]}" -o "$scratch/units" tests/other_cpus/machine_units.c bench/limits/machine_units_arm64.c
    check "one that has all of them: each multiplies right" units max "arm_dotprod arm_bf16 arm_i8mm sve "
    for bytes in 16 64 256; do
        check "SVE of $bytes bytes" units "max,sve-default-vector-length=$bytes" "arm_dotprod arm_bf16 arm_i8mm sve "
    done
    check "one that has none" units cortex-a57 ""
else
    echo "[  SKIPPED ] units of a 64-bit Arm: no cross compiler, or no qemu-aarch64"
fi
exit $failed
