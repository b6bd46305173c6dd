#!/usr/bin/env bash
# Builds a base commit and the tree that this script is in, and runs the gate on the two:
#
#   docs/ci/gate.sh BASE [OUT]     OUT (gate-out) gets summary.md, junit.xml and report.json
#
# Options of the gate come from GATE_OPTIONS, for example GATE_OPTIONS='--budget 10m --min-effect 3%'.
# Exit status: the gate's (0 fine, 1 slower or larger, 3 undecided), 2 when something could not be built.
# Needs no token, no service and no network.
set -u
cd "$(dirname "$0")/../.." || exit 2
base=${1:?a commit to compare with}
out=$(realpath -m "${2:-gate-out}")
jobs=$(nproc)
tree=$(mktemp -d) || exit 2
trap 'git worktree remove --force "$tree/base" 2>/dev/null; rm -rf "$tree"' EXIT

git worktree add --quiet --detach "$tree/base" "$base" >/dev/null || exit 2
make -C "$tree/base" -j"$jobs" >"$tree/log" 2>&1 || { tail -n 40 "$tree/log"; echo "the base does not build"; exit 2; }
make -j"$jobs" >"$tree/log" 2>&1 || { tail -n 40 "$tree/log"; echo "the candidate does not build"; exit 2; }
mkdir -p "$out" || exit 2
# shellcheck disable=SC2086 # options are words
build/attnbench gate --base "$tree/base/build/attnbench" --candidate build/attnbench \
    --markdown "$out/summary.md" --junit "$out/junit.xml" --json "$out/report.json" ${GATE_OPTIONS:-}
