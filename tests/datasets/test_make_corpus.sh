#!/usr/bin/env bash
# The synthetic corpus: the layout is right, the same every time, nothing half-made is left behind.
set -u
cd "$(dirname "$0")/../.." || exit
attnbench=${ATTNBENCH:-build/attnbench}
script=datasets/make_corpus.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*"
    cat "$work/log" 2>/dev/null
    exit 1
}
ok() {
    echo "[       OK ] make_corpus: $*"
}
refuses() { # expected message, arguments...
    local expected=$1
    shift
    "$@" >"$work/log" 2>&1
    [ $? -eq 2 ] || fail "expected status 2: $*"
    [ "$(wc -l <"$work/log")" -eq 1 ] && grep -qF -- "$expected" "$work/log" || fail "expected one line with \"$expected\": $*"
}

refuses "usage" $script
refuses "expected 1 to 9999" $script "$work/x" 0
refuses "expected 1 to 9999" $script "$work/x" many
mkdir "$work/empty-bin"
for tool in bash env dirname find wc cat; do ln -s "$(command -v $tool)" "$work/empty-bin/$tool"; done
refuses "apt-get install espeak-ng zita-resampler" env PATH="$work/empty-bin" $script "$work/x"
[ -e "$work/x" ] && fail "a refused call left a folder"
ok "refuses what it cannot do, one line each"

if ! command -v espeak-ng >/dev/null || ! command -v zita-resampler >/dev/null; then
    echo "[  SKIPPED ] make_corpus: espeak-ng or zita-resampler is not installed"
    exit 0
fi

$script "$work/a" 6 >"$work/log" 2>&1 || fail "a corpus of 6"
$script "$work/deep/er/b" 6 >"$work/log" 2>&1 || fail "a corpus of 6 in a new folder"
diff -r "$work/a" "$work/deep/er/b" >"$work/log" || fail "not the same twice"
[ "$(find "$work/a" -name '*.flac' | wc -l)" -eq 6 ] || fail "not 6 files"
[ "$(ls "$work")" = "$(printf '%s\n' a deep empty-bin log)" ] || fail "something is left behind: $(ls "$work")"
ok "the same every time"

for flac in "$work"/a/test/*/*/*.flac; do
    "$attnbench" features --input "$flac" --output "$work/x.npy" >"$work/log" 2>&1 || fail "features of $flac"
done
ok "16 kHz mono that attnbench reads"

$script "$work/a" 6 >"$work/log" 2>&1 && grep -q "there already and complete" "$work/log" || fail "a second call"
rm "$(find "$work/a" -name '*.flac' | sort | head -n 1)"
refuses "not a complete corpus" $script "$work/a" 6
ok "knows a complete corpus from an incomplete one"
