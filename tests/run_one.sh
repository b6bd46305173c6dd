#!/usr/bin/env bash
# Runs one test of one build: tests/run_one.sh BUILD tests/.../test_NAME.{c,sh}
# It gets a TMPDIR and a HOME of its own and TEST_LIMIT seconds. What it prints goes to a log in the build, and the
# lines that report its checks to standard output as TAP. Processes and files that it leaves behind are faults.
set -u
cd "$(dirname "$0")/.." || exit
build=$1 source=$2
case $source in *.c) program=$build/${source%.c} ;; *) program=$source ;; esac
log=$build/${source%.*}.log
mkdir -p "${log%/*}"
room=$(mktemp -d "${TMPDIR:-/tmp}/attnbench-tests-XXXXXX") || exit
mkdir "$room/tmp" "$room/home"
session=

processes() { # of the session that the test leads, its pid and name a line
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$session" '
        { pid = $1; name = $0; sub(/^[^(]*\(/, "", name); sub(/\)[^)]*$/, "", name); sub(/^.*\) /, "") }
        $4 == session && $1 != "Z" { print pid, name }'
}
stop() {
    local pid rest
    [ -z "$session" ] || while read -r pid rest; do kill -KILL "$pid"; done < <(processes) 2>/dev/null
}
trap 'stop; rm -rf "$room"' EXIT
trap 'exit 143' TERM INT HUP

# What UBSan finds raises SIGILL, and ASan shows the place. So cmocka may not handle that signal, except in a test that is
# about it.
sigill=2
[[ $(<"$source") != *SIGILL* ]] || sigill=1

# A shell starts what is in the background with SIGINT ignored, and whoever started us may have too.
case $build in /*) attnbench=$build/attnbench ;; *) attnbench=$PWD/$build/attnbench ;; esac
env --default-signal=INT,QUIT,PIPE BUILD="$build" ATTNBENCH="$attnbench" OPENBLAS_NUM_THREADS=1 \
    TMPDIR="$room/tmp" HOME="$room/home" ASAN_OPTIONS="handle_sigill=$sigill${ASAN_OPTIONS:+:$ASAN_OPTIONS}" \
    setsid setpriv --pdeathsig TERM timeout -k 5 "${TEST_LIMIT:-240}" "$program" >"$log" 2>&1 </dev/null &
session=$!
wait "$session"
status=$?
for _ in 1 2 3 4 5 6 7 8 9 10; do # what was killed may still be dying
    left=$(processes)
    [ -n "$left" ] || break
    sleep 0.1
done
files=$(ls -A "$room/tmp")
times >"$room/times" # not in $(...), which has none yet
cpu=$(awk -F'[ms ]' 'NR == 2 { print $1 * 60 + $2 + $4 * 60 + $5 }' "$room/times") # of what has ended

# cmocka lists failed and skipped tests again below its line "[==========] N test(s) run."
awk -v log_file="$log" -v cpu="$cpu" -v status="$status" -v limit="${TEST_LIMIT:-240}" -v left="${left//$'\n'/, }" -v files="${files//$'\n'/, }" '
    function result(word, name, more) {
        gsub(/#/, "\\#", name)
        print word " " ++count " - " name more
        if (word != "ok") bad++
    }
    /^\[==========\] / { listed = / run\.$/ }
    listed { next }
    /^\[       OK \] / { result("ok", substr($0, 14)) }
    /^\[  SKIPPED \] / { result("ok", substr($0, 14), " # SKIP") }
    /^\[  FAILED  \] / { result("not ok", substr($0, 14)) }
    function fault(what) { # that the log does not have
        result("not ok", what)
        print "[  FAILED  ] " what >>log_file
    }
    END {
        if (status == 124 || status == 137) fault("ends within " limit " seconds")
        else if (status && !bad) fault("exit status " status)
        if (!status && bad) fault("exit status 0 in spite of a failure")
        if (left != "") fault("leaves no process behind: " left)
        if (files != "") fault("leaves no file behind: " files)
        if (!count) fault("checks something")
        print "# CPU seconds: " cpu
        print "1.." count
    }' "$log"
