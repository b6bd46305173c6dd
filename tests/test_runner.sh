#!/usr/bin/env bash
# tests/run_one.pl counts what a test checked, and what it did wrong: hanging, failing, leaving things behind.
# Starts early.
# Runs once: no part of it is built.
. "$(dirname "$0")/support/check.sh"
mkdir "$scratch/tmp"
export TMPDIR=$scratch/tmp

one() { # the lines of a test: runs it; the TAP goes to out
    printf '%s\n' '#!/usr/bin/env bash' "$@" >"$scratch/test.sh"
    chmod +x "$scratch/test.sh"
    tests/run_one.pl "$scratch/build" "$scratch/test.sh" >"$scratch/out" 2>"$scratch/err"
}
printed() { # the whole TAP but for the time
    printf '%s\n' "$@" | diff - <(grep -v '^# CPU seconds: [0-9.]*$' "$scratch/out")
}

one 'echo "[       OK ] a # b"; echo "[  SKIPPED ] c"'
check "what passed and what was skipped" printed 'ok 1 - a \# b' 'ok 2 - c # SKIP' 1..2
check "the CPU time" grep -qx '# CPU seconds: [0-9.]*' "$scratch/out"
one 'echo "[       OK ] a"; echo "[==========] 2 test(s) run."; echo "[  SKIPPED ] 1 test(s), listed below:"; echo "[  SKIPPED ] b"'
check "cmocka's summary counts nothing again" printed 'ok 1 - a' 1..1
one 'echo "[       OK ] a"; echo "[  FAILED  ] b"; exit 1'
check "a failure" printed 'ok 1 - a' 'not ok 2 - b' 1..2
one 'echo "[  FAILED  ] b"'
check "a failure that the exit status hides" printed 'not ok 1 - b' 'not ok 2 - exit status 0 in spite of a failure' 1..2
one 'echo "[       OK ] a"; kill -SEGV $$'
check "a crash" printed 'ok 1 - a' 'not ok 2 - exit status 139' 1..2
one 'exit 0'
check "a test that checks nothing fails" printed 'not ok 1 - checks something' 1..1
one 'echo "[       OK ] a"; touch "$TMPDIR/left"'
check "a file that is left behind" printed 'ok 1 - a' 'not ok 2 - leaves no file behind: left' 1..2
one 'echo "[       OK ] a"; sleep 61 & exit 0'
check "a process that is left behind" grep -qx 'not ok 2 - leaves no process behind: [0-9]* sleep' "$scratch/out"
one 'trap "echo \"[       OK ] a\"" INT; kill -INT $$'
check "SIGINT reaches a test, whoever started the tests" printed 'ok 1 - a' 1..1

gone() { # pid: ends within 10 s
    for _ in $(seq 100); do
        [ ! -e "/proc/$1" ] && return
        grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null && return
        sleep 0.1
    done
    return 1
}
# The sleep does not end by itself, nor by SIGTERM, and in a process group of its own.
hang='trap "" TERM; set -m; sleep 62 & echo $! >"'$scratch/sleeper'"; wait; wait'
TEST_LIMIT=1 one "$hang"
check "a test that hangs fails" grep -qx 'not ok 1 - ends within 1 seconds' "$scratch/out"
check "and all of it is gone" gone "$(cat "$scratch/sleeper")"

# As tests/run.pl starts it: when the process that runs it is killed, it ends all that belongs to the test.
rm -f "$scratch/sleeper"
cat >"$scratch/runner" <<END_OF_RUNNER
#!/usr/bin/env bash
setpriv --pdeathsig TERM tests/run_one.pl "$scratch/build" "$scratch/test.sh"
exit
END_OF_RUNNER
bash "$scratch/runner" >"$scratch/out" 2>"$scratch/err" &
runner=$!
for _ in $(seq 600); do [ -s "$scratch/sleeper" ] && break; sleep 0.1; done
kill -KILL $runner
check "kill -9 of what runs the tests ends the test, too" gone "$(cat "$scratch/sleeper")"
wait $runner 2>/dev/null # so that the shell does not report it
for _ in $(seq 100); do [ -z "$(ls -d "$TMPDIR"/attnbench-tests-* 2>/dev/null)" ] && break; sleep 0.1; done
check "and its scratch folder is removed" [ -z "$(ls -d "$TMPDIR"/attnbench-tests-* 2>/dev/null)" ]
exit $failed
