#!/usr/bin/env bash
# docs/fields.md lists the fields as `attnbench bench --help` does, which prints them from bench/fields.inc. After a change
# there: tests/bench/test_fields_doc.sh --write
set -u
cd "$(dirname "$0")/../.." || exit 1
program=${ATTNBENCH:-build/attnbench}
page=docs/fields.md
listed() {
    "$program" bench --help | sed -n '/^Keys, /,/^$/{/^  /p}'
}
[ "$(listed | wc -l)" -gt 30 ] || { echo "bench --help lists no fields"; exit 1; }
if [ "${1:-}" = --write ]; then
    listed >"$page.list"
    sed -i -e '/^```text$/r '"$page.list" -e '/^```text$/,/^```$/{/^```/!d}' "$page"
    rm "$page.list"
fi
diff <(sed -n '/^```text$/,/^```$/{/^```/!p}' "$page") <(listed) || {
    echo "$page lists other fields than bench/fields.inc (--write mends it)"
    exit 1
}
echo "[       OK ] $page lists the fields of bench/fields.inc"
