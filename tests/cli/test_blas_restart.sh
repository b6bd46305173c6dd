#!/usr/bin/env bash
# Commands that measure restart once with a better OPENBLAS_CORETYPE. An OpenBLAS that picks badly is played by a library
# of the test's own, loaded before the real one.
. "$(dirname "$0")/../support/check.sh"

isa=$("$ATTNBENCH" info --format json | sed -n 's/^ *"isa": "\(.*\)",*$/\1/p')
if [ "$isa" = base ]; then
    echo "[  SKIPPED ] restart: this CPU has nothing that OpenBLAS could leave unused"
    exit 0
fi
better=$([ "$isa" = avx512 ] && echo SkylakeX || echo Haswell)

# Says Prescott until OPENBLAS_CORETYPE is set (stubborn: even then), and writes down every process.
cat >"$scratch/shim.c" <<'END'
#include <stdlib.h>
#include <unistd.h>
char *openblas_get_corename(void) {
    static char slow[] = "Prescott";
    char *chosen = getenv("OPENBLAS_CORETYPE");
    return chosen && *chosen && !getenv("STUBBORN") ? chosen : slow;
}
__attribute__((constructor)) static void mark(void) {
    if (write(2, "process\n", 8) < 0)
        abort();
}
END
gcc -shared -fPIC -o "$scratch/shim.so" "$scratch/shim.c" || exit 1
unset OPENBLAS_CORETYPE ATTNBENCH_BLAS_REPLACED

run() { # environment..., -- arguments: counts the processes
    local environment=()
    while [ "$1" != -- ]; do environment+=("$1") && shift; done
    shift
    # The address sanitizer wants to be first among libraries.
    env LD_PRELOAD="$scratch/shim.so" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "${environment[@]}" \
        "$ATTNBENCH" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    processes=$(grep -c '^process$' "$scratch/err")
}
cat >"$scratch/tiny.yaml" <<'END'
repetitions: 1
min_time: 0.001
machine: machine/sgemm/n:8
END
core() { sed -n 's/^ *"core": "\(.*\)",*$/\1/p' "$1"; }
restarted() { sed -n 's/^ *"restarted": \(.*\)$/\1/p' "$1"; }

run A=1 -- info
check "info does not restart" [ "$processes" -eq 1 ]
check "info says that instructions are left unused" grep -q "Prescott: leaves the CPU's $isa unused" "$scratch/out"

run A=1 -- bench --case machine/sgemm/n:8 --benchmark_min_time=0.001 --benchmark_format=json
check "bench restarts once" [ "$status $processes" = "0 2" ]
check "bench runs with the better core" grep -q "\"blas_core\": \"$better\"" "$scratch/out"

run A=1 -- sweep --plan "$scratch/tiny.yaml" --out "$scratch/a.json"
check "sweep restarts once" [ "$status" -eq 0 ]
check "results name the core in use" [ "$(core "$scratch/a.json")" = "$better" ]
check "results record the restart" [ "$(restarted "$scratch/a.json")" = true ]

run OPENBLAS_CORETYPE=Prescott -- sweep --plan "$scratch/tiny.yaml" --out "$scratch/b.json"
check "the user's choice is left alone" [ "$status $(core "$scratch/b.json")" = "0 Prescott" ]
check "and is no restart" [ "$(restarted "$scratch/b.json")" = false ]
run OPENBLAS_CORETYPE=Prescott -- info
check "info says that the user chose" grep -q "Prescott, as OPENBLAS_CORETYPE says: leaves" "$scratch/out"

env OPENBLAS_CORETYPE=bogus "$ATTNBENCH" info >"$scratch/out" 2>"$scratch/err"
check "info does not believe an unknown core type" grep -q '^OPENBLAS_CORETYPE *bogus, which this OpenBLAS does not take' "$scratch/out"
check "nor says that it is in use" [ "$(grep -c 'as OPENBLAS_CORETYPE says' "$scratch/out")" -eq 0 ]
check "and warns in one line" [ "$(grep -c 'does not take OPENBLAS_CORETYPE=bogus and picked' "$scratch/err") $(wc -l <"$scratch/err")" = "1 1" ]
env OPENBLAS_CORETYPE=bogus "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --out "$scratch/d.json" >"$scratch/out" 2>"$scratch/err"
# A restart sets a core type of its own, and then that one counts.
check "results record that it was ignored" [ "$? $(grep -c '"ignored_core": "bogus"\|"restarted": true' "$scratch/d.json")" = "0 1" ]
check "ATTN_CPU is in info" [ "$(ATTN_CPU=base "$ATTNBENCH" info | grep -c 'base, lowered by ATTN_CPU; the CPU has')" -eq 1 ]

run STUBBORN=1 -- bench --case machine/sgemm/n:8 --benchmark_min_time=0.001
check "an OpenBLAS that does not listen is not restarted for ever" [ "$status $processes" = "0 2" ]

run A=1 -- sweep --plan missing --out "$scratch/c.json"
check "a restart adds no line to bad input" [ "$status $(grep -vc '^process$' "$scratch/err")" = "2 1" ]
exit $failed
