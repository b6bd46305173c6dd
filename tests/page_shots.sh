#!/usr/bin/env bash
# The report's page as pictures, for people to look at: tests/page_shots.sh REPORT-FOLDER OUT-FOLDER. Three widths, light
# and dark, from top to bottom in pieces with all folded parts open; and what printing makes, as a PDF. Needs Chromium.
# WIDTHS="360 1280" SCHEMES=light takes some of them.
set -eu
report=$(realpath "$1") out=$2 piece=2000
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "page_shots.sh: there is no Chromium" >&2
    exit 3
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"
rm -f "$out"/page-*.png
# Next to the page, as it looks into it.
view=$report/page_view.html
cp "$(dirname "$0")/page_view.html" "$view"
trap 'rm -rf "$scratch" "$view"' EXIT

browse() { # page, chromium's words
    local page=$1
    shift
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
        --user-data-dir="$scratch" "$@" "file://$page" 2>/dev/null
}
for scheme in ${SCHEMES:-light dark}; do
    # Blink's names of schemes: 0 is dark, 1 light.
    colours=--blink-settings=preferredColorScheme=$([ "$scheme" = dark ] && echo 0 || echo 1)
    for width in ${WIDTHS:-360 768 1280}; do
        long=$(browse "$view#$width,0,$piece,open" --window-size="$width,$piece" --dump-dom |
            sed -n 's/.*<pre id="size"[^>]*>\([0-9]*\).*/\1/p')
        for ((top = 0; top < long; top += piece)); do
            file=$out/page-$width-$scheme-$(printf %02d $((top / piece))).png
            browse "$view#$width,$top,$piece,open" "$colours" --window-size="$width,$piece" --screenshot="$file" >/dev/null
            [ -s "$file" ] && echo "$file"
        done
    done
done
browse "$report/index.html" --no-pdf-header-footer --print-to-pdf="$out/print.pdf"
[ -s "$out/print.pdf" ] && echo "$out/print.pdf"
