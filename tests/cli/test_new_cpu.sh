#!/usr/bin/env bash
# info --new-cpu: everything that a bug report needs is there, with a reason where there is no number.
. "$(dirname "$0")/../support/check.sh"
report=$scratch/report.md

has() { # extended regular expression
    grep -qE "$1" "$report"
}

section() { # title: rows of its table
    awk -v title="### $1" '$0 == title { on = 1; next } /^#/ { on = 0 } on && /^\|/ && ++n > 2' "$report"
}

"$ATTNBENCH" info --new-cpu >"$report" 2>"$scratch/err"
check "it ends well" [ $? -eq 0 ]
check "it says nothing else" [ ! -s "$scratch/err" ]
check "within two screens" [ "$(wc -l <"$report")" -le 110 ]
check "how many events are right, at the top" eval 'head -n 3 "$report" | grep -qE "Of [0-9]+ hardware events [0-9]+ are counted right"'
for title in "What has to be mended, and by whom" "CPU and kernel" "The kernel's counters" "PAPI" "OpenBLAS" \
    "Generic events, each alone, around a loop of a million turns" "Counters checked against kernels with known answers"; do
    check "it has rows on: $title" [ -n "$(section "$title")" ]
done
if [ "$(uname -m)" = x86_64 ]; then
    check "the CPU in full" eval 'for key in vendor_id "cpu family" model stepping microcode flags; do has "^\| $key \| .+ \|"; done'
fi
check "the kernel's release" has "^\| kernel \| .*$(uname -r | sed 's/[.+]/\\&/g')"
check "perf_event_paranoid, as it is" has "^\| perf_event_paranoid \| $(cat /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo no)"
events=$(section "Generic events, each alone, around a loop of a million turns")
check "cycles, instructions and branches among the events" eval \
    'for e in cycles instructions branch-misses L1-dcache-load-misses; do grep -qE "[ ,]$e( [0-9]+)?[, ]" <<<"$events"; done'
check "every event was opened, or has its errno and a reason" eval \
    '! grep -vE "^\| (yes \| [^|]* [0-9]+ \| —|yes \| [^|]+ \| [^—|]+|E[A-Z0-9]+ \| [^|]+ \| [^—|]+) \|$" <<<"$events"'
check "PAPI's components" eval 'has "^\| component perf_event \| (on, |disabled: .)" && has "^\| component sde \| "'
check "how many presets there are" has '^\| presets that exist \| [0-9]+ of [0-9]{2,}'
check "OpenBLAS's version and core type" eval 'has "^\| configuration \| OpenBLAS [0-9.]+" && has "^\| core type \| [A-Za-z0-9_]+,"'
check "PAPI's and perf's counters with their fate" eval 'for source in papi perf sde kernel; do
    section "Counters checked against kernels with known answers" | grep -qE "^\| $source[a-z_]* \| (trusted|scaled|unchecked|rejected|unavailable) \|"; done'
check "what is unavailable has a reason" eval '! grep -E "\| unavailable \|.*\| — \|\$" "$report"'
host=$(uname -n)
check "no name of the host, the user or a folder" eval '! grep -qF "$PWD" "$report" &&
    { [ ${#host} -lt 6 ] || ! grep -qF "$host" "$report"; }'
exit $failed
