#!/usr/bin/perl
# Runs the tests of one or more builds side by side, with the library behind prove (TAP::Harness, part of perl):
#   tests/run.pl [--jobs N] [--only REGEX] BUILD...
# A test whose source says "Runs alone: WHY" runs after the others and by itself; one that says "Starts early" takes
# long, and so goes first; one that says "Runs once: WHY" runs with the first build only. Prints a line a test, the log
# of one that failed, the ten slowest, and at the end "N passed, N failed, N skipped" over the things checked.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use FindBin;
use Getopt::Long;
use List::Util qw(min);
use TAP::Harness;
use TAP::Parser::Aggregator;

chdir "$FindBin::Bin/.." or die "$FindBin::Bin/..: $!\n";
chomp(my $cpus = `nproc`);
my $jobs = int(2.5 * $cpus); # many tests wait for other processes or for time to pass
my $only = '';
GetOptions('jobs=i' => \$jobs, 'only=s' => \$only) && @ARGV && $jobs > 0
    or die "usage: tests/run.pl [--jobs N] [--only REGEX] BUILD...\n";
my @builds = @ARGV;
$| = 1;

chomp(my @sources = grep { /$only/ } `find tests '(' -path tests/pmu -o -path tests/slurm ')' -prune -o -name 'test_*.[cs]*' -print | sort`);
@sources or die "no test has a name that matches $only\n";

# What the first lines of a source ask for.
my %asks;
for my $source (@sources) {
    open my $file, '<', $source or die "$source: $!\n";
    while (<$file>) {
        last if $. > 12;
        $asks{$source}{alone} = 1 if /\bRuns alone: /;
        $asks{$source}{once} = 1 if /\bRuns once: /;
        $asks{$source}{early} = 1 if /\bStarts early\b/;
    }
}
sub early { return $asks{ $_[0] }{early} // 0 }
sub alone { return $asks{ $_[0] }{alone} }
sub builds { return $asks{ $_[0] }{once} ? $builds[0] : @builds }
# By a checksum of the name and not by the name: tests of one folder wait or compute alike, and are spread like this.
my @tests = sort { $b->[0] <=> $a->[0] || $a->[1] cmp $b->[1] }
    map { my $source = $_; map { [ early($source), md5_hex("$_ $source"), $source, "$_ $source" ] } builds($source) } @sources;

my (%failed_programs, %cpu);
sub report {
    my ($test, $parser) = @_;
    my ($build, $source) = split / /, $test->[0];
    my $seconds = $parser->end_time - $parser->start_time;
    my $skipped = $parser->skipped;
    my $good = !$parser->has_problems;
    printf "%s %s: %d checks%s, %.1f s, %.1f s of CPU time\n", $good ? 'ok   ' : 'FAIL ', "$build $source",
        scalar $parser->passed, $skipped ? ", $skipped skipped" : '', $seconds, $cpu{ $test->[0] } // 0;
    return if $good;
    $failed_programs{"$build $source"} = 1 unless $parser->failed;    # it broke outside of what it checks
    print "       $_\n" for $parser->parse_errors;
    (my $log = "$build/$source") =~ s/\.\w+$/.log/;
    if (open my $file, '<', $log) { print <$file> }
}

my $all = TAP::Parser::Aggregator->new;
sub run {
    my ($jobs, @tests) = @_;
    return unless @tests;
    my $harness = TAP::Harness->new({
        jobs      => $jobs,
        verbosity => -3,
        # Ended with this process, however this process ends.
        exec => sub { [ qw(setpriv --pdeathsig TERM tests/run_one.pl), split / /, $_[1] ] },
    });
    $harness->callback(after_test => \&report);
    $harness->callback(made_parser => sub {
        my ($parser, $job) = @_;
        $parser->callback(comment => sub { $cpu{ $job->[0] } = $1 if $_[0]->comment =~ /^CPU seconds: (.*)/ });
    });
    $harness->aggregate_tests($all, @tests);
}
$all->start;
run($jobs, map { $_->[3] } grep { !alone($_->[2]) } @tests);
run(1, map { $_->[3] } grep { alone($_->[2]) } @tests);
$all->stop;

my %seconds = map { $_->[0] => $_->[1]->end_time - $_->[1]->start_time } map { [ $_, $all->parsers($_) ] } $all->descriptions;
my @slowest = sort { $seconds{$b} <=> $seconds{$a} } keys %seconds;
print "The slowest:\n";
printf "%7.1f s, %5.1f s of CPU time  %s\n", $seconds{$_}, $cpu{$_} // 0, $_ for @slowest[ 0 .. min(9, $#slowest) ];
my (undef, undef, $user, $system) = times;
printf "%d tests in %d s, with %d s of CPU time\n", scalar @slowest, $all->elapsed->real, $user + $system;

my $failed = scalar($all->failed) + keys %failed_programs;
printf "%d passed, %d failed, %d skipped\n", $all->passed - $all->skipped, $failed, scalar $all->skipped;
exit($failed > 0 || !$all->passed);
