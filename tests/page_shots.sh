#!/usr/bin/env bash
# The report's page as pictures, for people to look at: tests/page_shots.sh REPORT-FOLDER OUT-FOLDER. Three widths, light
# and dark, the first screen and all of it; and what printing makes, as a PDF. Needs Chromium.
set -eu
page=$(realpath "$1/index.html") out=$2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
    echo "page_shots.sh: there is no Chromium" >&2
    exit 3
}
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
mkdir -p "$out"

shoot() { # file, chromium's words
    local file=$1
    shift
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$profile" "$@" \
        "file://$page" >/dev/null 2>&1
    [ -s "$file" ] && echo "$file"
}
for scheme in dark light; do
    for size in 360x800 768x1024 1280x900; do
        # Blink's names of schemes: 0 is dark, 1 light.
        colours=--blink-settings=preferredColorScheme=$([ "$scheme" = dark ] && echo 0 || echo 1)
        shoot "$out/first-${size%x*}-$scheme.png" "$colours" --window-size="${size/x/,}" \
            --screenshot="$out/first-${size%x*}-$scheme.png"
        shoot "$out/all-${size%x*}-$scheme.png" "$colours" --window-size="${size%x*},9000" \
            --screenshot="$out/all-${size%x*}-$scheme.png"
    done
done
shoot "$out/print.pdf" --no-pdf-header-footer --print-to-pdf="$out/print.pdf"
