#!/usr/bin/env bash
# Two builds, all of it at -O2 but for one kernel file, which the candidate has at -O1: the gate must find the cases of
# that kernel SLOWER and the others SAME, by time and by instructions, and say that instructions moved. Not part of
# `make test`: it builds twice and measures for some minutes. BUDGET=4m, OUT=folder (default $BUILD/gate-builds).
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${BUDGET:=4m}" "${OUT:=$BUILD/gate-builds}"
mkdir -p "$OUT" || exit 2
OUT=$(realpath "$OUT")
export ATTNBENCH_HOME=$PWD
kernel=impl/kernels/isa/rows.c # softmax and the feature map of linear attention
failed=0

check() { # what is checked, command...
    local name=$1
    shift
    if "$@"; then
        echo "[       OK ] $name"
    else
        echo "[  FAILED  ] $name"
        failed=1
    fi
}

cat >"$OUT/compiler" <<END
#!/bin/sh
for word; do [ "\$word" = $kernel ] && exec ${CC:-gcc} "\$@" -O1; done
exec ${CC:-gcc} "\$@"
END
chmod +x "$OUT/compiler"

build() { # name, compiler
    make -j"$(nproc)" OPT=-O2 BUILD="$OUT/$1" CC="$2" all >"$OUT/$1.log" 2>&1 && return
    tail -n 20 "$OUT/$1.log" >&2
    exit 2
}
build base "${CC:-gcc}"
if [ ! -e "$OUT/candidate" ]; then # the same objects, but for those of the kernel
    cp -a "$OUT/base" "$OUT/candidate"
    rm -f "$OUT/candidate/${kernel%.c}".*
fi
build candidate "$OUT/compiler"

cat >"$OUT/plan.yaml" <<'END'
summary: two cases that are mostly softmax, and three that do without the kernel
repetitions: 40
min_time: 0.0002
cases:
  - attention/mha/decode/L:4096/h:8/d:16
  - attention/gqa/decode/L:4096/h:8/d:16/hkv:1
  - attention/mha/decode/L:64/h:4/d:64/impl:scalar
  - attention/linear/decode/L:64/h:4/d:64/impl:scalar
  - attention/mla/decode/L:32/h:4/d:64/dc:32/impl:scalar
END

gate() { # report, options
    local name=$1
    shift
    "$OUT/base/attnbench" gate --base "$OUT/base/attnbench" --candidate "$OUT/candidate/attnbench" \
        --plan "$OUT/plan.yaml" --markdown "$OUT/$name.md" --format csv "$@" >"$OUT/$name.csv"
}

verdict() { # report, verdict, cases: how many have both
    [ "$(grep -cE "^attention/[^,]*$3[^,]*,$2," "$OUT/$1.csv")" -eq "$4" ]
}

gate time --budget "$BUDGET"
check "by time: exit status 1" [ $? -eq 1 ]
gate instructions --metric instructions
check "by instructions: exit status 1" [ $? -eq 1 ]
for metric in time instructions; do
    check "by $metric: both cases of the kernel are SLOWER" verdict $metric SLOWER impl:fused 2
    check "by $metric: the other three are SAME" verdict $metric SAME impl:scalar 3
done
check "what moved by time is instructions, in both" [ "$(grep -c '^- .*: instructions +' "$OUT/time.md")" -eq 2 ]
cat "$OUT/time.md" "$OUT/instructions.md"
exit $failed
