#!/usr/bin/env bash
# How much a pair of processes of one program differs: the standard deviation of the change that a pair gives, by turns
# and by whole processes, alternating, so that both meet the same host. Not part of `make test`: it measures.
#
#   tests/measure/gate_spread.sh STATE_DIR
#
# ROUNDS=3 of each way, each of BUDGET=30s. A round is a file of STATE_DIR: the same command goes on where it was
# stopped. FILTER=REGEX takes some rows of the plan `gate`.
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${BUILD:=build}" "${ATTNBENCH:=$PWD/$BUILD/attnbench}" "${ROUNDS:=3}" "${BUDGET:=30s}" "${FILTER:=.}"
[ $# -eq 1 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 2; }
state=$1
mkdir -p "$state" || exit 2
[ -x "$state/candidate" ] || cp "$ATTNBENCH" "$state/candidate" || exit 2
export ATTNBENCH_HOME=$PWD
for ((round = 1; round <= ROUNDS; round++)); do
    for way in turns processes; do
        file=$state/$way-$round.json
        [ -s "$file" ] && continue
        # Nothing is settled before the budget is spent: no change is as small as that.
        "$state/candidate" gate --base "$state/candidate" --candidate "$state/candidate" --way $way --filter "$FILTER" \
            --min-effect 0.001% --budget "$BUDGET" --json "$file" >/dev/null 2>&1
        echo "$(date -u +%FT%TZ) $way $round load $(cut -d' ' -f1-3 /proc/loadavg)" >>"$state/log"
    done
done
exec perl -MJSON::PP -e '
    my (%all, @names);
    for my $file (@ARGV) {
        my ($way) = $file =~ m{(turns|processes)-\d+\.json$} or next;
        open my $in, "<", $file or die "$file: $!\n";
        my $report = decode_json(join "", <$in>);
        for my $case (@{$report->{cases}}) {
            push @names, $case->{name} unless grep { $_ eq $case->{name} } @names;
            push @{$all{$way}{$case->{name}}}, map { defined $_->[2] ? $_->[2] : 100 * ($_->[1] / $_->[0] - 1) } @{$case->{samples}};
        }
    }
    sub deviation { my @x = @_; return "-" if @x < 2; my $m = 0; $m += $_ / @x for @x;
        my $s = 0; $s += ($_ - $m) ** 2 / (@x - 1) for @x; sprintf "%.2f%%", sqrt $s }
    print "| case | by turns | pairs | by processes | pairs |\n|---|---:|---:|---:|---:|\n";
    for my $name (@names) {
        my @of = map { $all{$_}{$name} || [] } qw(turns processes);
        print "| `$name` | ", join(" | ", map { (deviation(@$_), scalar @$_) } @of), " |\n";
    }' "$state"/*.json
