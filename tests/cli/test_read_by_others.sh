#!/usr/bin/env bash
# Results with a case that failed and one that this CPU does not support are read by what reads Google Benchmark's files.
. "$(dirname "$0")/../support/check.sh"

if [ ! -x /usr/bin/python3 ]; then
    echo "[  SKIPPED ] readers of Google Benchmark's files: there is no /usr/bin/python3"
    exit 0
fi
read_them() { # A B [--drop FIELD]
    /usr/bin/python3 tests/cli/read_as_others.py "$@" >"$scratch/out" 2>"$scratch/err"
}
is_noticed() {
    ! read_them "$scratch/mixed.json" "$scratch/good.json" --drop "$1"
}

cat >"$scratch/plan.yaml" <<'YAML'
repetitions: 2
min_time: 0.0005
cases:
  - attention/mha/decode/L:8/h:2/d:16/impl:scalar
  - attention/mla/decode/L:8/h:2/d:16/dc:8/impl:scalar
  - attention/gqa/decode/L:8/h:2/d:16/hkv:1/impl:avx2
YAML
cat >"$scratch/child" <<'SH'
#!/bin/bash
case "$3" in */mla/*) echo "no such luck" >&2; exit 2 ;; esac
exec "$ATTNBENCH" "$@"
SH
chmod +x "$scratch/child"

ATTN_CPU=base ATTNBENCH_CHILD=$scratch/child "$ATTNBENCH" sweep --plan "$scratch/plan.yaml" --out "$scratch/mixed.json" --counters off \
    >"$scratch/out" 2>"$scratch/err"
check "a sweep with a case that fails" [ $? -eq 1 ]
check "one failed, one unsupported" grep -q "3 cases, 1 failed, 1 not supported here" "$scratch/out"
sed '/avx2/d' "$scratch/plan.yaml" >"$scratch/good.yaml"
"$ATTNBENCH" sweep --plan "$scratch/good.yaml" --out "$scratch/good.json" --counters off >"$scratch/out" 2>"$scratch/err"
check "a sweep without" [ $? -eq 0 ]

check "read next to itself" read_them "$scratch/mixed.json" "$scratch/mixed.json"
check "both errors are among its lines" grep -q ", 2 errors" "$scratch/out"
check "read next to one that measured what failed" read_them "$scratch/mixed.json" "$scratch/good.json"
check "read the other way round" read_them "$scratch/good.json" "$scratch/mixed.json"
for field in real_time cpu_time time_unit iterations repetitions threads family_index; do
    check "these readers would miss $field" is_noticed $field
done
# Debian's libbenchmark-tools, where it and its scipy are installed.
compare_py=${ATTNBENCH_COMPARE_PY:-/usr/share/benchmark/compare.py}
if /usr/bin/python3 -c 'import scipy' 2>/dev/null && [ -e "$compare_py" ]; then
    real() { /usr/bin/python3 -B "$compare_py" --no-color benchmarks "$1" "$2" >"$scratch/out" 2>"$scratch/err"; }
    check "compare.py itself reads it next to itself" real "$scratch/mixed.json" "$scratch/mixed.json"
    check "its lines have the two with an error" [ "$(grep -cE '^attention/(mla|gqa)/.* 0 +0 +0 +0$' "$scratch/out")" -eq 2 ]
    check "compare.py: next to one that measured what failed" real "$scratch/mixed.json" "$scratch/good.json"
    check "compare.py: the other way round" real "$scratch/good.json" "$scratch/mixed.json"
else
    echo "[  SKIPPED ] compare.py itself: it or scipy is not installed"
fi
"$ATTNBENCH" history add "$scratch/h.jsonl" --results "$scratch/mixed.json" >"$scratch/out" 2>"$scratch/err"
check "attnbench reads it too" [ $? -eq 0 ]
exit $failed
