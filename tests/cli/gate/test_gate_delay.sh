#!/usr/bin/env bash
# The gate on the real program with a delay that nobody can overlook. Runs alone: it measures time.
. "$(dirname "$0")/gate.sh"

cat >"$scratch/late" <<'END'
#!/bin/sh
ATTNBENCH_DELAY='mla=400%' exec "$ATTNBENCH" "$@"
END
chmod +x "$scratch/late"
"$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --filter 'mla|mha' --budget 15s --base "$ATTNBENCH" \
    --candidate "$scratch/late" --json "$scratch/report.json" >"$scratch/out" 2>"$scratch/err"
check "a delay: 1" [ $? -eq 1 ]
check "a delay in timed regions is found where it is" says '**SLOWER** | `attention/mla/' out
check "a delay: not elsewhere" verdict SLOWER 1
check "a delay: its case is run again with counters" says '### What moved' out
check "a delay: counters of the kernel were read on both sides" \
    grep -qE '"name": "page_faults_minor",' "$scratch/report.json"
check "a delay: what cannot be counted is reported" eval 'says "cannot be counted here: " out || says instructions out'
exit $failed
