#!/usr/bin/env bash
# What counting costs: the gate, with one program against itself, counters off (base) and on (candidate), in fresh processes in
# the order A B B A. Exit status: 0 every case is within 2%; 1 some case is beyond; 3 undecided.
#   BUDGET=3m  time to measure in     COUNTERS=auto  of the candidate     LIMIT=2  percent
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${ATTNBENCH:=$PWD/${BUILD:-build}/attnbench}" "${BUDGET:=3m}" "${COUNTERS:=auto}" "${LIMIT:=2}"
ATTNBENCH=$(realpath "$ATTNBENCH") || exit 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for counters in off "$COUNTERS"; do
    side=on
    [ "$counters" != off ] || side=off
    # The gate itself says --counters off; the last one counts.
    cat >"$scratch/counters-$side" <<SIDE
#!/bin/sh
[ "\$1" = bench ] && set -- "\$@" --counters $counters
exec "$ATTNBENCH" "\$@"
SIDE
    chmod +x "$scratch/counters-$side"
done

echo "counted in the candidate (--counters $COUNTERS):"
"$ATTNBENCH" counters list --counters "$COUNTERS" --format json |
    awk -F\" '/"source":/ { n[$4]++ } END { for (source in n) print "  " source ": " n[source] " events" }' | sort
"$ATTNBENCH" gate --base "$scratch/counters-off" --candidate "$scratch/counters-on" --plan tests/measure/overhead.yaml --budget "$BUDGET" \
    --min-effect "$LIMIT%" --markdown "$scratch/table.md" --format csv >"$scratch/table.csv"
status=$?
[ -s "$scratch/table.md" ] || exit "$status"
sed "s|$scratch/||g" "$scratch/table.md"

awk -F, -v limit="$LIMIT" 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    { low = $column["low_percent"]; high = $column["high_percent"]; cases++ }
    low != "" && high != "" && high + 0 <= limit && low + 0 >= -limit { within++; next }
    low != "" && low + 0 > limit { beyond++ }
    END {
        printf "%d of %d cases: counting on takes within %g%% of the time of counting off", within, cases, limit
        printf beyond ? "; %d beyond\n" : within < cases ? "; %d undecided\n" : "\n", beyond ? beyond : cases - within
        exit beyond || !cases ? 1 : within < cases ? 3 : 0
    }' "$scratch/table.csv"
