#!/usr/bin/perl
# The table of docs/gate-trust.md from what tests/measure/gate_rates.sh has kept: how often whole runs of the gate were
# right, with exact (Clopper and Pearson's) 95% intervals.
#
#   tests/measure/gate_rates_table.pl STATE_DIR...
#
# Runs of one condition in several folders count together, where effect and budget are the same.
use strict;
use warnings;
use FindBin;
use JSON::PP;
require "$FindBin::Bin/exact_interval.pl";

sub refuse { print STDERR @_, "\n"; exit 2 }

@ARGV or refuse "usage: $0 STATE_DIR...";
my @journals;
for my $folder (@ARGV) {
    my @found = glob "$folder/*.journal" or refuse "$folder: no journal of gate_rates.sh in it";
    push @journals, @found;
}
my @conditions = (
    [ idle         => 'nothing started' ],
    [ memory       => 'a program that reads from memory' ],
    [ loops        => 'four busy loops' ],
    [ shared       => 'a host that others use' ],
    [ second       => 'nothing started, one second a case' ],
    [ instructions => 'by instructions' ] );

my %runs;    # condition, per cent
my %settings;    # condition, per cent: smallest effect and budget
for my $file (@journals) {
    my ($condition) = $file =~ m{([a-z]+)-\d+\.journal$} or next;
    open my $in, '<', $file or refuse "$file: $!";
    my ( $effect, $budget );
    while (<$in>) {
        my $line = eval { decode_json($_) } or next;
        if ( $line->{selftest} ) {
            ( $effect, $budget ) = ( 100 * ( exp( $line->{min_effect} ) - 1 ), $line->{budget_seconds} );
            next;
        }
        my $is = sprintf 'effects from %.2g%% on in %g s', $effect, $budget;
        my $was = $settings{$condition}{ $line->{percent} } //= $is;
        $is eq $was or refuse "$file: $is, others of $condition: $was";
        push @{ $runs{$condition}{ $line->{percent} } }, { %$line, effect => $effect };
    }
}

sub row {
    my ( $what, $count, $list ) = @_;
    my $n = @$list;
    my %mean;
    for my $of (qw(undecided seconds load)) { $mean{$of} += $_->{$of} / $n for @$list }
    printf "| %s | %d of %d | %s | %.2f | %.0f s | %.1f |\n", $what, $count, $n, exact_interval( $count, $n ),
        @mean{qw(undecided seconds load)};
}

print "| what | runs | exact 95% interval | undecided cases a run | a run took | mean load |\n|---|---:|---:|---:|---:|---:|\n";
for (@conditions) {
    my ( $condition, $what ) = @$_;
    for my $percent ( sort { $a <=> $b } keys %{ $runs{$condition} } ) {
        my $list  = $runs{$condition}{$percent};
        my $start = sprintf '%s, effects from %.2g%% on', $what, $list->[0]{effect};
        row( "$start, one case $percent% slower: found", scalar( grep { $_->{found} } @$list ), $list ) if $percent > 0;
        row( $percent > 0 ? 'the same: a false alarm' : "$start, no slow-down: a false alarm",
            scalar( grep { $_->{wrong} } @$list ), $list );
    }
}
