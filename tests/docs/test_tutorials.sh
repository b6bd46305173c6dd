#!/usr/bin/env bash
# The tutorials in docs/: the commands of each page, in their order, in an empty folder, with `attnbench` in the PATH.
# Each command has to end with status 0, where the page does not say itself that another one is right.
# Runs once: the pages are the same, and other tests run these commands in each build.
. "$(dirname "$0")/../support/check.sh"

here=$PWD
PATH=$(dirname "$(realpath "$ATTNBENCH")"):$PATH
commands() { # page: what is between ```sh and ```
    sed -n '/^```sh$/,/^```$/{/^```/!p}' "$1"
}
run() { # page, folder
    commands "$here/docs/tutorial-$1.md" >"$2/commands"
    (cd "$2" && env -u ATTNBENCH bash -eu commands) >"$scratch/out" 2>"$scratch/err"
}
for page in researcher ci cpu; do
    mkdir "$scratch/$page"
    check "the commands of tutorial-$page.md run" run $page "$scratch/$page"
    check "there are at least five" [ "$(grep -c '^attnbench ' "$scratch/$page/commands")" -ge 5 ]
    check "README names the page" grep -q "docs/tutorial-$page.md" README.md
done
check "researcher: cache bytes of both, and the page" eval \
    'grep -q "\"kv_bytes_live\"" "$scratch/researcher/layers.json" && [ -s "$scratch/researcher/report/index.html" ]'
check "ci: what the pipeline shows" eval '[ -s "$scratch/ci/summary.md" ] && grep -q "<testsuite" "$scratch/ci/junit.xml"'
check "ci: two results in the history" [ "$(wc -l <"$scratch/ci/speed.jsonl")" -eq 2 ]
check "cpu: the page" [ -s "$scratch/cpu/report/index.html" ]

exit $failed
