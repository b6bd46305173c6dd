#!/usr/bin/env bash
# How long the report's page takes to its first paint, from disk: page_paint.sh REPORT-FOLDER. Prints its bytes and
# the least and the most of 5 starts, in ms. Needs Chromium.
set -eu
page=$1/index.html
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "page_paint.sh: there is no Chromium" >&2
    exit 3
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
{
    sed '/<\/body>/,$d' "$page"
    cat <<'HTML'
<script>
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (entry.name === "first-contentful-paint") console.log("first paint: " + Math.round(entry.startTime) + " ms");
}).observe({ type: "paint", buffered: true });
</script>
</body>
</html>
HTML
} >"$scratch/index.html"
for _ in 1 2 3 4 5; do
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/profile" \
        --enable-logging=stderr --window-size=1280,900 --screenshot="$scratch/page.png" "file://$scratch/index.html" 2>&1 |
        sed -n 's/.*first paint: \([0-9]*\) ms.*/\1/p'
done | sort -n >"$scratch/times"
[ -s "$scratch/times" ] || {
    echo "page_paint.sh: Chromium reports no paint" >&2
    exit 3
}
echo "$(wc -c <"$page") bytes; first paint $(head -n 1 "$scratch/times") to $(tail -n 1 "$scratch/times") ms, $(wc -l <"$scratch/times") starts"
