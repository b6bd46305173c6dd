#!/usr/bin/env bash
# The report's page in Chromium: three widths in both schemes, nothing on the console, every figure drawn, what the
# page's script adds; and what axe-core says, where `make axe` has fetched it, npm has it, or ATTNBENCH_AXE names its
# axe.min.js. Runs once: the page is the same with sanitizers.
. "$(dirname "$0")/../support/check.sh"
sample=tests/data/results_sample.json
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)

find_axe() {
    local folder
    for folder in "${BUILD:-build}/axe/node_modules" build/axe/node_modules node_modules /usr/share/nodejs /usr/share/javascript \
        "$(timeout 20 npm root -g 2>/dev/null)"; do
        [ ! -s "$folder/axe-core/axe.min.js" ] || { echo "$folder/axe-core/axe.min.js"; return; }
    done
}
axe=${ATTNBENCH_AXE:-$(find_axe)}

if [ -z "$browser" ] || ! command -v gnuplot >/dev/null; then
    echo "[  SKIPPED ] the page in a browser: there is no Chromium, or no gnuplot"
    exit 0
fi
"$ATTNBENCH" report "$sample" --out "$scratch/report" >"$scratch/out" 2>"$scratch/err"
check "a page to look at" test -s "$scratch/report/index.html"
bytes=$(wc -c <"$scratch/report/index.html")
check "the page has at most 1 MB: $bytes bytes" test "$bytes" -le 1000000
cp tests/reports/page_in_browser.js "$scratch/report/"
[ ! -s "$axe" ] || cp "$axe" "$scratch/report/"
cat >"$scratch/report/look.html" <<'HTML'
<!DOCTYPE html><meta charset=utf-8><title>look</title><body style="margin: 0"><pre id=findings></pre><script src=page_in_browser.js></script>
HTML

# One start for all: --dump-dom waits until nothing is left to do.
timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-extensions --user-data-dir="$scratch/profile" \
    --allow-file-access-from-files --enable-logging=stderr --window-size=1400,1000 --virtual-time-budget=100000 \
    --dump-dom "file://$scratch/report/look.html" >"$scratch/dom" 2>"$scratch/err"
sed -n '/<pre id="findings">/,/<\/pre>/p' "$scratch/dom" | sed 's/<[^>]*>//g' >"$scratch/out"
check "it was looked at to the end" grep -qx 'done' "$scratch/out"
while read -r word name; do
    [ "$word" != ok ] || echo "[       OK ] $name"
    [ "$word" != bad ] || { echo "[  FAILED  ] $name"; failed=1; }
done < <(grep -E '^(ok|bad) ' "$scratch/out")
grep 'CONSOLE' "$scratch/err" >"$scratch/out"
check "nothing is said on the console" test ! -s "$scratch/out"
[ -s "$axe" ] || echo "[  SKIPPED ] axe-core: it is not here (make axe)"
exit $failed
