#!/usr/bin/env bash
# make install into a folder, and what was installed there at work: the program away from its source, the library in a
# program of C and one of C++, man pages and completion.
. "$(dirname "$0")/../support/check.sh"
build=${BUILD:-build}
case $build in *asan* | *tsan*) echo "[  SKIPPED ] make install: only of the plain build" && exit 0 ;; esac
if ! command -v make >/dev/null || ! command -v pkg-config >/dev/null; then
    echo "[  SKIPPED ] make install: needs make and pkg-config"
    exit 0
fi
to=$scratch/to
run() { "$@" >"$scratch/out" 2>"$scratch/err"; }
quietly() { env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory BUILT=1 BUILD="$build" PREFIX=/opt/attnbench DESTDIR="$to" install; }
check "make install" run quietly
program=$to/opt/attnbench/bin/attnbench
away() { (cd / && env -u ATTNBENCH_HOME "$program" "$@"); }
check "the program says its version" run away --version
check "and its build's" grep -qE '^attnbench [0-9]+\.[0-9]+\.[0-9]+ \(.+\)$' "$scratch/out"
check "it finds its plans" run away sweep --plan quick --list
check "its groups of counters" run away counters groups
check "the paper's tables" run away paper
check "and the cases of bench" run away bench --benchmark_list_tests=true
check "a report" run away report "$PWD/tests/data/results_sample.json" --out "$scratch/report"
# As on a machine without Slurm: the few tools that the script takes.
mkdir "$scratch/tools"
for tool in bash dirname realpath sed sort tail; do ln -s "$(command -v $tool)" "$scratch/tools"; done
without_slurm() {
    ! PATH=$scratch/tools bash "$to/opt/attnbench/share/attnbench/harness/slurm/attnbench.sbatch" 2 "$scratch/jobs" --plan gate \
        >"$scratch/out" 2>"$scratch/err" && [ "$(wc -l <"$scratch/err")" -eq 1 ] && grep -q 'sbatch and scontrol are not here' "$scratch/err"
}
check "a job array without Slurm: one line" without_slurm
check "help COMMAND is COMMAND --help" eval 'cmp <(away help sweep) <(away sweep --help)'
check "help of no command is refused" eval '! away help nothing >/dev/null 2>&1'

export PKG_CONFIG_PATH=$to/opt/attnbench/lib/pkgconfig
mapfile -t flags < <(pkg-config --define-prefix --cflags --libs --static attn | tr ' ' '\n' | grep .)
strict=(-Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers)
check "the example in C builds" run gcc "${strict[@]}" docs/examples/attention.c -o "$scratch/attention" "${flags[@]}"
check "and runs" run "$scratch/attention"
check "its cache is as large as the formula says" grep -q '^100 frames, 6400 bytes of cache' "$scratch/out"
check "the example in C++ builds" run g++ "${strict[@]}" docs/examples/cache_bytes.cpp -o "$scratch/cache_bytes" "${flags[@]}"
check "and runs" run "$scratch/cache_bytes"
check "a cache of multi-head attention" grep -qE '^mha +4096000 bytes' "$scratch/out"
check "completion for bash" run bash -n "$to/opt/attnbench/share/bash-completion/completions/attnbench"
complete_with() { bash -c '. "$1"; COMP_WORDS=(attnbench "${@:2}"); COMP_CWORD=$#; ((COMP_CWORD--)); compopt() { :; }; _attnbench; echo "${COMPREPLY[*]}"' \
    - "$to/opt/attnbench/share/bash-completion/completions/attnbench" "$@"; }
check "completes commands" eval '[ "$(complete_with prof)" = profile-kv ]'
check "and their options" eval '[ "$(complete_with sweep --rep)" = "--repetitions= --replace" ]'
check "not those of other commands that the help mentions" eval '[ -z "$(complete_with report --live)" ]'
if command -v help2man >/dev/null; then
    check "a man page for every command" [ "$(find "$to/opt/attnbench/share/man/man1" -name '*.1' | wc -l)" -eq \
        $(($(away --help | grep -cE '^  [a-z]') + 1)) ]
    check "which says what it does" grep -q 'pinned' "$to/opt/attnbench/share/man/man1/attnbench-sweep.1"
fi
exit $failed
