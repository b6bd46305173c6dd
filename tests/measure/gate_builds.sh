#!/usr/bin/env bash
# Real changes of the code in place of a delay: builds that differ in one kernel file, each compared with the same base,
# RUNS times. Not part of `make test`: it builds twice whole and six times in part, and a run takes up to a BUDGET.
#
#   pass     three passes more over the scores in the softmax of the fused kernel
#   copy     its scores are copied to another place and back
#   tile     rows one by one, where the base takes up to sixteen together
#   o1       the kernel's file compiled with -O1, as no other is; it leaves the upper halves of vectors in use as well
#   comment  a comment alone
#   order    nothing changed; archives have their objects in reverse order, so that code lies elsewhere
#   path     nothing changed, built as a whole once more in another folder, whose path is longer
#
# Right is a run in which the cases of that code are SLOWER and all others SAME. OUT=folder (default
# $BUILD/gate-builds) keeps the builds and a line a run, OUT/VARIANT.runs: the same command goes on where it was stopped.
# BASE=folder takes the objects of a build that is there as the base's. RUNS=10 BUDGET=60s MIN_EFFECT=2%
# VARIANTS="pass copy tile o1 comment order path". Exit status: 1 when a run was not right.
#
# PLAN=gate compares comment, order and path alone, by that plan: false alarms of programs that were linked or built anew,
# which `attnbench selftest` cannot show. Right is then a run in which no case is SLOWER, failed or grown. Its lines are in
# OUT/VARIANT.PLAN.runs.
set -u
cd "$(dirname "$0")/../.." || exit 2
: "${BUILD:=build}" "${BUDGET:=60s}" "${RUNS:=10}" "${MIN_EFFECT:=2%}" "${OUT:=$BUILD/gate-builds}"
# Of the base's objects, so that nothing else differs.
OPT=$([ -z "${BASE:-}" ] || sed -n 's/^#define BUILD_FLAGS "\([^"]*\)"$/\1/p' "$BASE/include/build_info.h")
: "${OPT:=-O3}"
if [ -n "${PLAN:-}" ]; then
    : "${VARIANTS:=comment order path}"
    case $VARIANTS in *pass* | *copy* | *tile* | *o1*) echo "PLAN is for comment, order and path alone" >&2 && exit 2 ;; esac
else
    : "${VARIANTS:=pass copy tile o1 comment order path}"
fi
mkdir -p "$OUT" || exit 2
OUT=$(realpath "$OUT")
export ATTNBENCH_HOME=$PWD
kernel=impl/kernels/isa/attend.c

# The kernel's file as the variant has it. One that changes nothing is an error: the code has moved on.
change() { # variant
    case $1 in
    pass) awk '/^INLINE void weigh/ { inside = 1 }
        inside && /for \(size_t j = 0; j < n; j \+= VL\)/ && !done { pass = $0; getline; pass = pass "\n" $0
            for (more = 1; more <= 3; more++) print pass "\n    __asm__ volatile(\"\" ::: \"memory\");"
            print pass; done = 1; next } { print }' "$kernel" ;;
    copy) sed 's|^    weigh(rows, score, factor, count, b->k.rows);|    float copied[MOST_TOGETHER][BLOCK];\n    memcpy(copied, scores, count * sizeof *scores);\n    __asm__ volatile("" ::"r"(copied) : "memory");\n    memcpy(scores, copied, count * sizeof *scores);\n&|' "$kernel" ;;
    tile) sed 's|^    while ((size_t)1 << step > left)$|    while (step > 0)|' "$kernel" ;;
    o1) cat "$kernel" ;;
    comment) sed '1s|^|/* A comment. */\n|' "$kernel" ;;
    esac
}

compiler() { # variant: a compiler that takes its file in place of the base's
    local more=
    [ "$1" = o1 ] && more=-O1
    cat <<END
#!/bin/bash
words=()
for word; do
    [ "\$word" = $kernel ] && { words+=($more); word=$OUT/$1.c; }
    words+=("\$word")
done
exec ${CC:-gcc} "\${words[@]}" $more
END
}

build() { # folder, compiler, more words of make
    mkdir -p "$(dirname "$1")"
    make -j"$(nproc)" OPT="$OPT" BUILD="$1" CC="$2" "${@:3}" all >"$1.log" 2>&1 && return
    tail -n 20 "$1.log" >&2
    exit 2
}

# As `ar qcs ARCHIVE OBJECT...` with the objects in reverse order.
reversing_ar() {
    cat <<'END'
#!/bin/bash
objects=()
for object in "${@:3}"; do objects=("$object" "${objects[@]}"); done
exec ar "$1" "$2" "${objects[@]}"
END
}

build_order() {
    [ -x "$OUT/order/attnbench" ] && return
    reversing_ar >"$OUT/order.ar"
    chmod +x "$OUT/order.ar"
    rm -rf "$OUT/order"
    cp -a "$OUT/base" "$OUT/order"
    rm -f "$OUT/order"/lib*.a "$OUT/order/attnbench"
    build "$OUT/order" "${CC:-gcc}" AR="$OUT/order.ar"
    ! cmp -s "$OUT/base/attnbench" "$OUT/order/attnbench" || { echo "order: the same program" >&2; exit 2; }
}

build_path() {
    local place=$OUT/another/folder/with/a/longer/path
    [ -x "$OUT/path/attnbench" ] && return
    build "$place" "${CC:-gcc}"
    ln -sfn "$place" "$OUT/path"
}

if [ -n "${BASE:-}" ] && [ ! -e "$OUT/base" ]; then
    mkdir "$OUT/base"
    (cd "$BASE" && tar -cf - --exclude=tests --exclude=gate-builds .) | tar -xf - -C "$OUT/base"
fi
[ -x "$OUT/base/attnbench" ] || build "$OUT/base" "${CC:-gcc}"
for variant in $VARIANTS; do
    case $variant in
    order) build_order; continue ;;
    path) build_path; continue ;;
    esac
    place=$OUT/$variant
    [ -x "$place/attnbench" ] && continue
    change "$variant" >"$OUT/$variant.c"
    [ "$variant" = o1 ] || ! cmp -s "$OUT/$variant.c" "$kernel" || { echo "$variant: changes nothing" >&2; exit 2; }
    compiler "$variant" >"$OUT/$variant.compiler"
    chmod +x "$OUT/$variant.compiler"
    rm -rf "$place"
    cp -a "$OUT/base" "$place" # the same objects, but for those of the kernel
    rm -f "$place/${kernel%.c}".*
    build "$place" "$OUT/$variant.compiler"
done

# Files of runs by PLAN have its name, so that once all is built, runs with PLAN and without may share OUT.
if [ -n "${PLAN:-}" ]; then
    plan=$PLAN of=$(basename "$PLAN").
else
    plan=$OUT/plan.yaml of=
fi
cat >"$OUT/plan.yaml" <<'END'
summary: two cases of the fused kernel that are mostly softmax, and three that do without it
repetitions: 40
min_time: 0.0002
cases:
  - attention/mha/decode/L:4096/h:8/d:16
  - attention/gqa/decode/L:4096/h:8/d:16/hkv:1
  - attention/mha/decode/L:64/h:4/d:64/impl:scalar
  - attention/linear/decode/L:64/h:4/d:64/impl:scalar
  - attention/mla/decode/L:32/h:4/d:64/dc:32/impl:scalar
END

# Of what gate_builds_truth.py found without the gate, in per cent (24 rounds, standard errors of the first two cases 0.4
# to 0.8, of copy's first 1.9, of the others 0.1 to 0.4, of one 0.9):
#   pass +4.3 +6.2 0.0 0.0 +0.1    copy +4.6 +5.3 +0.1 -0.1 +0.1    tile -0.5 +74.6 0.0 0.0 0.0
#   o1 +187 +135 +0.1 +0.2 +0.2    comment 0.0 0.0 +0.2 -0.1 +0.2
# The last three cases do not run the changed file, and of MHA each head has one row.
expected() { # variant: verdicts in the order of the plan, as an extended regular expression
    if [ -n "${PLAN:-}" ]; then
        echo "(SAME|UNDECIDED|FASTER)( (SAME|UNDECIDED|FASTER))*"
        return
    fi
    case $1 in
    pass | copy | o1) echo SLOWER SLOWER SAME SAME SAME ;;
    tile) echo SAME SLOWER SAME SAME SAME ;;
    comment | order | path) echo SAME SAME SAME SAME SAME ;;
    esac
}

run() { # variant: a line of verdicts and changes in per cent
    local to=$OUT/$1.$of
    "$OUT/base/attnbench" gate --base "$OUT/base/attnbench" --candidate "$(realpath "$OUT/$1/attnbench")" --plan "$plan" \
        --budget "$BUDGET" --min-effect "$MIN_EFFECT" --no-attribution --format csv 2>"${to}err" >"${to}csv"
    awk -F, 'NR > 1 { verdicts = verdicts (verdicts ? " " : "") $2; changes = changes (changes ? " " : "") sprintf("%+.2f", $6) }
        END { print verdicts "|" changes }' "${to}csv"
}

failed=0
echo "| variant | right | runs | exact 95% interval | verdicts that were not right |"
echo "|---|---:|---:|---|---|"
for variant in $VARIANTS; do
    runs=$OUT/$variant.${of}runs wanted="^$(expected "$variant")[|]"
    touch "$runs"
    while [ "$(wc -l <"$runs")" -lt "$RUNS" ]; do
        line=$(run "$variant")
        echo "$line|load $(cut -d' ' -f1 /proc/loadavg)" >>"$runs"
    done
    right=$(grep -Ec "$wanted" "$runs")
    count=$(wc -l <"$runs")
    wrong=$(grep -Ev "$wanted" "$runs" | cut -d'|' -f1 | sort | uniq -c | sed 's/^ *//' | paste -sd';')
    [ "$right" = "$count" ] || failed=1
    echo "| $variant | $right | $count | $(tests/measure/exact_interval.pl "$right" "$count") | $wrong |"
done
exit $failed
