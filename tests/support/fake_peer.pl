#!/usr/bin/perl
# A peer with known output and times, in place of python3 (ATTNBENCH_PYTHON): attention over one key gives its value, so
# that the output is the values. An iteration takes 2 ms on the clock and 1 ms of a CPU, without taking any.
# FAKE_PEER: what it does wrong.
use strict;
use warnings;
use JSON::PP;

my ($script, @words) = @ARGV;
my $fault = $ENV{FAKE_PEER} // '';
if ($fault eq 'missing' || $script !~ m{bench/peers/\w+\.py$}) {
    print STDERR "there is no such library\n";
    exit 3;
}
if ($words[0] eq '--version') {
    print "Fake 1.0\n";
    exit 0;
}
open my $file, '<:raw', $words[0] or die;
read $file, my $size, 8;
read $file, my $header, unpack 'Q<', $size;
my $tensors = decode_json $header;
read $file, my $data, 1 << 24;

sub bytes_of {
    my ($from, $to) = @{$tensors->{$_[0]}{data_offsets}};
    return substr $data, $from, $to - $from;
}
my $case = decode_json bytes_of('case');
my $floats = 1;
$floats *= $_ for @{$case->{out}};
my $out = bytes_of('cache.v');
die "expected a case with one key\n" if length($out) != 4 * $floats || $case->{L} != 1;
$out = pack 'f<*', map { $_ + 0.5 } unpack 'f<*', $out if $fault eq 'wrong';
$out = substr $out, 4 if $fault eq 'short';
open my $to, '>:raw', $words[1] or die;
print $to $out;
close $to or die;
$| = 1;
print $fault eq 'babbles' ? "hello\n" : "ready 1 Fake 1.0, copies\n";
while (my $order = <STDIN>) {
    exit 0 if $order eq "quit\n";
    $order =~ /^go (\d+)$/ or die;
    die "it is tired\n" if $fault eq 'dies';
    printf "done %d %d\n", $1 * 2_000_000, $1 * 1_000_000;
}
