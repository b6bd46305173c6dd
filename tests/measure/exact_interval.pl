#!/usr/bin/perl
# exact_interval.pl K N: the exact (Clopper and Pearson's) 95% interval of K of N, in percent. gate_rates_table.pl requires
# it.
use strict;
use warnings;

sub tail {    # chance of $from to $to successes in $n
    my ( $p, $n, $from, $to ) = @_;
    my ( $sum, $log ) = ( 0, 0 );
    for my $i ( 0 .. $to ) {
        $sum += exp( $log + ( $i ? $i * log $p : 0 ) + ( $n - $i ? ( $n - $i ) * log( 1 - $p ) : 0 ) ) if $i >= $from;
        $log += log( ( $n - $i ) / ( $i + 1 ) ) if $i < $n;
    }
    return $sum;
}

sub solve {    # where the falling or rising $f passes 0.025
    my ($above) = @_;
    my ( $low, $high ) = ( 0, 1 );
    for ( 1 .. 60 ) { my $middle = ( $low + $high ) / 2; $above->($middle) ? ( $low = $middle ) : ( $high = $middle ) }
    return $low;
}

sub exact_interval {    # "55.5% to 99.7%"
    my ( $count, $n ) = @_;
    my $low  = $count ? solve( sub { tail( $_[0], $n, $count, $n ) < 0.025 } ) : 0;
    my $high = $count < $n ? solve( sub { tail( $_[0], $n, 0, $count ) > 0.025 } ) : 1;
    return sprintf '%.1f%% to %.1f%%', 100 * $low, 100 * $high;
}

print exact_interval(@ARGV) if !caller;
1;
