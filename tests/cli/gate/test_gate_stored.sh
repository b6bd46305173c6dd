#!/usr/bin/env bash
# The gate against stored results. The programs are made up.
# Starts early.
. "$(dirname "$0")/gate.sh"

make_fake base ""
make_fake candidate ""
ATTNBENCH_CHILD=$scratch/base "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --out "$scratch/base.json" \
    >"$scratch/out" 2>"$scratch/err"
make_fake candidate "victim=mla slow=60"
check "stored base, 60% slower: 1" gate 1 --base "$scratch/base.json" --candidate "$scratch/candidate"
check "stored base: only that" verdict SLOWER 1
check "stored base: says that it is weaker" says "verdicts are weaker" out
make_fake candidate ""
gate 3 --base "$scratch/base.json" --candidate "$scratch/candidate"
check "stored base, the same: nothing is slower" verdict SLOWER 0
make_fake candidate "slow=3"
gate 3 --base "$scratch/base.json" --candidate "$scratch/candidate"
hidden_by_noise() { # some lines are undecided, and all of them say why
    local lines
    lines=$(grep '^| \*\*UNDECIDED' "$scratch/out") && ! grep -qv 'processes differ' <<<"$lines"
}
check "stored base, 3% slower: noise hides it, which is said in every line" hidden_by_noise
sed 's/"core": *"[A-Za-z]*"/"core":"Katmai"/' "$scratch/base.json" >"$scratch/other.json"
check "stored base of another machine: 3" gate 3 --base "$scratch/other.json" --candidate "$scratch/candidate"
check "another machine: says which field" says "blas.core (Katmai, " err
gate 3 --force --base "$scratch/other.json" --candidate "$scratch/candidate"
check "another machine, forced: says so in every line" [ "$(grep -c "^| .*attention/.*not comparable: blas.core" "$scratch/out")" -eq 4 ]
head -c 3000 "$scratch/base.json" >"$scratch/cut.json"
check "stored base cut short: 2" gate 2 --base "$scratch/cut.json" --candidate "$scratch/candidate"
grep -v linear "$scratch/tiny.yaml" >"$scratch/three.yaml"
ATTNBENCH_CHILD=$scratch/base "$ATTNBENCH" sweep --plan "$scratch/three.yaml" --out "$scratch/three.json" \
    >"$scratch/out" 2>"$scratch/err"
gate 3 --base "$scratch/three.json" --candidate "$scratch/candidate"
check "a case that the stored base lacks is reported" verdict "MISSING IN BASE" 1
"$ATTNBENCH" gate --plan "$scratch/three.yaml" --base "$scratch/base.json" --candidate "$scratch/candidate" --budget 60s \
    >"$scratch/out" 2>"$scratch/err"
check "a case of the stored base that the plan lacks is reported" says "1 of 4 cases of the stored base are not in the plan" out
echo 'cases: [attention/linear/decode/L:32/h:2/d:64/part:core]' >"$scratch/core.yaml"
"$ATTNBENCH" sweep --plan "$scratch/core.yaml" --out "$scratch/core.json" >"$scratch/out" 2>"$scratch/err"
"$ATTNBENCH" gate --plan "$scratch/core.yaml" --base "$scratch/core.json" --candidate "$scratch/candidate" --budget 60s \
    --json "$scratch/report.json" >"$scratch/out" 2>"$scratch/err"
check "a case that the stored base's machine could not run is no failure of it" verdict "NOT SUPPORTED HERE" 1
check "could not run: why" says "has no core apart from its layer" out
exit $failed
