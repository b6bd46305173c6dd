#!/usr/bin/perl
# Runs one test of one build: tests/run_one.pl BUILD tests/.../test_NAME.{c,sh}
# It gets a TMPDIR and a HOME of its own and TEST_LIMIT seconds. What it prints goes to a log in the build, and the
# lines that report its checks to standard output as TAP. Processes and files that it leaves behind are faults.
# Without modules and with few commands, as it runs hundreds of times.
use strict;
use warnings;

@ARGV == 2 or die "usage: tests/run_one.pl BUILD TEST\n";
my ($build, $source) = @ARGV;
my $limit = $ENV{TEST_LIMIT} || 240;
(my $top = $0) =~ s{[^/]*$}{..};
chdir $top or die "$top: $!\n";

my $name = $source =~ s/\.[^.]*$//r;
my $program = $source =~ /\.c$/ ? "$build/$name" : $source;
my $log = "$build/$name.log";
my $folder = $log =~ s{/[^/]*$}{}r;
-d $folder or system('mkdir', '-p', $folder) == 0 or exit 1;
my $room = ($ENV{TMPDIR} // '/tmp') . "/attnbench-tests-$$";
mkdir $_, 0700 or die "$_: $!\n" for $room, "$room/tmp", "$room/home";

my $session;

sub processes { # of the session that the test leads: [pid, name]
    my @found;
    for my $path (glob '/proc/[0-9]*/stat') {
        open my $file, '<', $path or next;
        my ($pid, $command, $state, $of) = (<$file> // '') =~ /^(\d+) \((.*)\) (\S) \d+ \d+ (\d+)/s or next;
        push @found, [ $pid, $command ] if $of == $session && $state ne 'Z';
    }
    return @found;
}

my $us = $$; # and not the process that becomes the test
END {
    my $status = $?;
    if (defined $us && $$ == $us) {
        kill 'KILL', map { $_->[0] } processes() if $session;
        system 'rm', '-rf', $room;
    }
    $? = $status;
}
$SIG{$_} = sub { exit 143 } for qw(TERM INT HUP);

# What UBSan finds raises SIGILL, and ASan shows the place. So cmocka may not handle that signal, except in a test that is
# about it.
open my $text, '<', $source or die "$source: $!\n";
my $sigill = (grep { /SIGILL/ } <$text>) ? 1 : 2;
close $text;

my %environment = (
    BUILD => $build,
    ATTNBENCH => ($build =~ m{^/} ? $build : readlink('/proc/self/cwd') . "/$build") . '/attnbench',
    OPENBLAS_NUM_THREADS => 1,
    TMPDIR => "$room/tmp",
    HOME => "$room/home",
    ASAN_OPTIONS => "handle_sigill=$sigill" . ($ENV{ASAN_OPTIONS} ? ":$ENV{ASAN_OPTIONS}" : ''));
$session = fork // die "fork: $!\n";
if (!$session) {
    # A shell starts what is in the background with SIGINT ignored, and whoever started us may have too.
    $SIG{$_} = 'DEFAULT' for qw(INT QUIT PIPE TERM HUP);
    $ENV{$_} = $environment{$_} for keys %environment;
    open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
    open STDOUT, '>', $log or die "$log: $!\n";
    open STDERR, '>&', \*STDOUT or die "$log: $!\n";
    exec qw(setsid setpriv --pdeathsig TERM timeout -k 5), $limit, $program or die "setsid: $!\n";
}
waitpid $session, 0;
my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
my @left;
for (1 .. 10) { # what was killed may still be dying
    @left = processes() or last;
    select undef, undef, undef, 0.1;
}
opendir my $files, "$room/tmp" or die "$room/tmp: $!\n";
my @files = grep { !/^\.\.?$/ } readdir $files;
my (undef, undef, $user, $system) = times; # of what has ended

my ($count, $bad) = (0, 0);
sub result {
    my ($word, $what, $more) = @_;
    $what =~ s/#/\\#/g;
    printf "%s %d - %s%s\n", $word, ++$count, $what, $more // '';
    $bad++ if $word ne 'ok';
}
# cmocka lists failed and skipped tests again below its line "[==========] N test(s) run."
my $listed = 0;
open my $lines, '+<', $log or die "$log: $!\n";
while (<$lines>) {
    chomp;
    $listed = / run\.$/ if /^\[==========\] /;
    next if $listed;
    result('ok', $1) if /^\[       OK \] (.*)/;
    result('ok', $1, ' # SKIP') if /^\[  SKIPPED \] (.*)/;
    result('not ok', $1) if /^\[  FAILED  \] (.*)/;
}
seek $lines, 0, 2;
sub fault { # that the log does not have
    result('not ok', $_[0]);
    print {$lines} "[  FAILED  ] $_[0]\n";
}
if ($status == 124 || $status == 137) { fault("ends within $limit seconds") }
elsif ($status && !$bad) { fault("exit status $status") }
fault('exit status 0 in spite of a failure') if !$status && $bad;
fault('leaves no process behind: ' . join ', ', map { "@$_" } @left) if @left;
fault('leaves no file behind: ' . join ', ', sort @files) if @files;
fault('checks something') if !$count;
printf "# CPU seconds: %.2f\n1..%d\n", $user + $system, $count;
