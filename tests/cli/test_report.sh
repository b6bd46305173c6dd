#!/usr/bin/env bash
# attnbench report on a sample results file: what is on the page, what lies next to it, and what hostile text, a
# missing gnuplot and an earlier report do to it. Starts early.
set -u
cd "$(dirname "$0")/../.." || exit
: "${ATTNBENCH:=$PWD/build/attnbench}"
sample=tests/data/results_sample.json
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

ok() { # name, then a command that must succeed
    local name=$1
    shift
    if "$@"; then
        echo "[       OK ] $name"
    else
        echo "[  FAILED  ] $name: $*"
        failed=1
    fi
}
same() { [ "$1" = "$2" ] || { echo "found $1, expected $2"; false; }; }
none() { ! grep -nE "$1" "$2"; }
run() { # output folder, results file: sets status
    "$ATTNBENCH" report "$2" --out "$1" >"$scratch/stdout" 2>"$scratch/stderr"
    status=$?
}

names=$(grep -oP '\.name = "\K[a-z_]+' reports/plots/plots.c)
count=$(wc -w <<<"$names")
tables=$(sed -n 's/^TABLE(\([a-z_]*\),.*/\1/p' reports/tables/tables.inc | grep -vxE 'speech|peers|counter_parts|study_.*') # those are of what is not given
page=$scratch/report/index.html

if ! command -v gnuplot >/dev/null; then
    echo "[  SKIPPED ] there is no gnuplot"
    exit 0
fi

# Two stand-ins for gnuplot: one keeps a copy of what gnuplot draws; the other draws only decode_time and copies the rest.
gnuplot=$(command -v gnuplot)
mkdir "$scratch/keeps" "$scratch/hands_out" "$scratch/drawn"
cat >"$scratch/keeps/gnuplot" <<END
#!/bin/sh
"$gnuplot" "\$@" || exit
for word; do case \$word in *.gp) cp "\${word%.gp}".*g "\${word%.gp}.pdf" "$scratch/drawn" ;; esac; done
END
cat >"$scratch/hands_out/gnuplot" <<END
#!/bin/sh
for word; do
    case \$word in
    decode_time.gp) "$gnuplot" -d "\$word" || exit ;;
    *.gp) cp "$scratch/drawn/\${word%.gp}".* . ;;
    esac
done
END
chmod +x "$scratch/keeps/gnuplot" "$scratch/hands_out/gnuplot"

PATH=$scratch/keeps:$PATH run "$scratch/report" "$sample"
ok "the report is made" same "$status" 0
ok "its page is named on stdout" same "$(cat "$scratch/stdout")" "$scratch/report/index.html"
ok "every plot is on the page" same "$(grep -c '<svg ' "$page")" "$count"
ok "nothing is left out" none 'Left out' "$page"
for name in $names; do
    ok "$name has data, a script and pictures" test -s "$scratch/report/plots/$name.dat" -a -s "$scratch/report/plots/$name.gp" \
        -a -s "$scratch/report/plots/$name.svg" -a -s "$scratch/report/plots/$name.png" -a -s "$scratch/report/plots/$name.pdf"
done
for table in $tables; do
    for format in md csv tex json; do
        [ -s "$scratch/report/tables/$table.$format" ] || { echo "[  FAILED  ] no $table.$format"; failed=1; }
    done
done
# Every table fits its page, by the log of LaTeX.
if kpsewhich pdflscape.sty >/dev/null 2>&1 && command -v pdflatex >/dev/null; then
    {
        echo '\documentclass[a4paper]{article}\usepackage[margin=2.5cm]{geometry}\usepackage{longtable,pdflscape}'
        echo '\setlength\parindent{0pt}\begin{document}'
        for table in $tables; do echo "\\typeout{TABLE $table}\\input{$scratch/report/tables/$table.tex}\\clearpage"; done
        echo '\end{document}'
    } >"$scratch/all.tex"
    (cd "$scratch" && pdflatex -interaction=nonstopmode all.tex) >"$scratch/latex" 2>&1
    ok "LaTeX sets every table" same "$(grep -c '^TABLE' "$scratch/latex")" "$(wc -w <<<"$tables")"
    ok "no table is too wide or too high for its page" none '^Overfull|^!' "$scratch/latex"
    rm -f "$scratch"/all.*
else
    echo "[  SKIPPED ] tables in LaTeX: there is no pdflatex with pdflscape"
fi
ok "a table of many rows in LaTeX goes over pages" grep -q 'begin{longtable}' "$scratch/report/tables/counter_values.tex"
ok "no more files than those" same "$(find "$scratch/report" -type f | wc -l)" $((1 + 5 * count + 4 * $(wc -w <<<"$tables")))
ok "the page loads nothing" none '(src|href)=.?https?:|url\(|@import|<script[^>]|<link|<iframe|\.(js|css)["'"'"']' "$page"
ok "its script is its own, one" same "$(grep -c '<script' "$page")" 1
ok "no picture has a colour that dark mode cannot change" none "[\"']black[\"']|#000000|rgb\(" "$page"
ok "every figure has a title and a description" same "$(grep -c '<p class=title id=' "$page") $(grep -c '<figcaption id=' "$page")" "$count $count"
ok "no title of a picture is there twice" same "$(grep -oP '<p class=title id=[^>]*>\K[^<]*' "$page" | sort | uniq -d)" ""
unlike() { # entries of the list of contents whose words are not in the heading they lead to
    local name link
    while IFS=$'\t' read -r name link; do
        grep -oP "<h2 id=$name>\K[^<]*" "$1" | grep -qiF "$link" || echo "$link"
    done < <(sed -n '/<nav/,/<\/nav>/s/^<a href=#\([a-z_-]*\)>\(.*\)<\/a>/\1\t\2/p' "$1")
}
ok "the list of contents has the words of the headings" same "$(unlike "$page")" ""
ok "no id is there twice" same "$(grep -oE " id=[\"']?[^ \"'>]+" "$page" | tr -d "\"'" | sort | uniq -d)" ""
ok "the failed check is reported with its message" grep -q 'output differs from the scalar reference: 0.25' "$page"
ok "the BLAS core type is remarked on" grep -q 'OPENBLAS_CORETYPE=SkylakeX' "$page"
ok "an unavailable counter is reported with its reason" grep -q 'no hardware counters: invented reason' "$page"
values=$scratch/report/tables/counter_values.md
ok "a rejected counter has no column" none 'rumours|31415' "$values"
ok "and its reason is reported" grep -q 'rumours | perf | rejected | .* hearsay: read 31415' "$scratch/report/tables/counters.md"
ok "a scaled one is divided by its factor, and says so" grep -qE 'doubled \(scaled\).*' "$values"
ok "the quotient is shown" grep -q '| 1001 |' "$values"
ok "a simulated one says so" grep -q 'cold_bytes (simulated)' "$values"
ok "a disagreement with the formula is flagged" grep -qE '\| 1\.01 \| 1\.25 \| bytes \|' "$values"
ok "rates that have no value have no column" none 'rumours_per_doubled' "$scratch/report/tables/counter_rates.md"
sed -e 's/, *"validation": *"[a-z]*"//g; s/,"validation":"[a-z]*"//g' -e 's|Invented CPU (numbers made up)|Some Processor @ 2.80GHz|' \
    "$sample" >"$scratch/old.json"
PATH=$scratch/hands_out:$PATH run "$scratch/old" "$scratch/old.json"
ok "without validation" same "$status" 0
ok "counters are not shown" test ! -e "$scratch/old/tables/counter_values.md"
ok "and are said not to be validated" grep -q 'page_faults | kernel | none | .*not validated' "$scratch/old/tables/counters.md"
ok "a CPU's name keeps its @" grep -q 'Processor @ 2.80GHz' "$scratch/old/plots/decode_time.svg"
ok "once, and the others by name" grep -q 'cache_bytes_read | sde | none | .*as page_faults' "$scratch/old/tables/counters.md"
ok "runs and aggregate are stated" grep -q 'median of 7 runs' "$scratch/report/plots/decode_time.gp"
ok "the failed case has no numbers" none 'mla_simple/decode/L:1000/.*path:expand' "$scratch/report/tables/speed.json"

ok "positions stand with what is held" grep -q 'Held: .*pos none' "$page"
ok "what time is meant is said" grep -q 'Times are CPU time' "$page"
ok "what is not measured is said" grep -q 'no word error rate' "$page"
ok "the paper is named" grep -q 'Attention Mechanisms for ASR Models' "$page"
ok "without its live bytes" none '<th class=n>live' "$page"

# What else the other commands found, without pictures.
"$ATTNBENCH" profile-kv --config configs/attention/mla.yaml --seq-len 20 --format json >"$scratch/one.json" 2>/dev/null
"$ATTNBENCH" profile-kv --config configs/attention/mha.yaml --config configs/attention/gqa.yaml --seq-len 20 --format json \
    >"$scratch/two.json" 2>/dev/null
"$ATTNBENCH" paper --format json | sed 's/"live": null/"live": 187.5/' >"$scratch/live.json"
PATH=$scratch/none "$ATTNBENCH" report "$sample" --out "$scratch/more" --profile "$scratch/one.json" --profile "$scratch/two.json" \
    --paper "$scratch/live.json" >/dev/null 2>&1
ok "models of profile-kv are on the page" same "$(grep -c '^<tr><td>configs/attention/.*<td class=n>' "$scratch/more/index.html")" 3
ok "and a table of their own" same "$(wc -l <"$scratch/more/tables/speech.csv")" 4
ok "live bytes of the paper are in the audit" grep -q '<td>conformer</td><td>mha</td><td>total</td><td>MiB</td><td class=n>187.5</td><td class=n>46.875</td><td class=n>187.5</td><td class=n>187.5</td>' "$scratch/more/index.html"
ok "named without its folders" same "$(grep -c '^live.json)' "$scratch/more/index.html") $(grep -cF "$scratch/live" "$scratch/more/index.html")" "1 0"
ok "and judged again, not as the file says" grep -q 'LIVE BYTES DIFFER' "$scratch/more/index.html"

# What was asked of the sweep is what the page says to do again, as a shell takes it.
"$ATTNBENCH" sweep --plan quick --filter "machine/(flops|it's)" --repetitions 2 --min-time 0.001 --out "$scratch/asked.json" >/dev/null 2>&1
run "$scratch/asked" "$scratch/asked.json"
ok "a sweep with options" same "$status" 0
command=$(grep -o 'build/attnbench sweep --plan quick --filter .*R.json$' "$scratch/asked/index.html" | sed "s/&#39;/'/g")
eval "set -- $command"
ok "is reported with them" same "$*" "build/attnbench sweep --plan quick --filter machine/(flops|it's) --repetitions 2 --min-time 0.001 --out R.json"

cp -r "$scratch/report/plots" "$scratch/again"
rm "$scratch"/again/*.svg "$scratch"/again/*.png "$scratch"/again/*.pdf
(cd "$scratch/again" && for name in $names; do gnuplot "$name.gp" 2>&1; done)
for name in $names; do
    ok "$name is drawn again by its own script" cmp "$scratch/report/plots/$name.svg" "$scratch/again/$name.svg"
done

# Text from the file may hold anything.
# shellcheck disable=SC2016
evil='`touch '$scratch'/pwned` \\\" <script>alert(1)</script><img src=http://x/ onerror=x> {/} @_^ \u2028 é'
sed -e "s|Invented CPU (numbers made up)|$evil|" -e "s|output differs from|$evil|" -e "s|\"plan\": \"sample\"|\"plan\": \"$evil\"|" \
    -e "s|no hardware counters|$evil|" "$sample" >"$scratch/evil.json"
run "$scratch/evil" "$scratch/evil.json"
ok "hostile text is reported on" same "$status" 0
ok "no tag of it gets through" none '<script[^>]|<script>[^"]|<img' "$scratch/evil/index.html"
ok "nor into the page's script" same "$(sed -n '/<script>/,$p' "$scratch/evil/index.html")" "$(sed -n '/<script>/,$p' "$page")"
ok "it is shown" grep -q '&lt;script&gt;alert(1)' "$scratch/evil/index.html"
ok "gnuplot runs none of it" test ! -e "$scratch/pwned"
ok "all its plots are drawn" same "$(grep -c '<svg ' "$scratch/evil/index.html")" "$count"

# Fewer data, fewer plots, in the same folder as a fuller report.
[ ! -x /usr/bin/python3 ] || /usr/bin/python3 - "$sample" "$scratch/few.json" <<'PYTHON'
import json, sys
r = json.load(open(sys.argv[1]))
r["benchmarks"] = [e for e in r["benchmarks"] if e.get("case", {}).get("mode") == "decode" and e["case"]["L"] != 1000]
json.dump(r, open(sys.argv[2], "w"))
PYTHON
if [ -s "$scratch/few.json" ]; then
    run "$scratch/evil" "$scratch/few.json"
    ok "few data are reported on" same "$status" 0
    ok "plots without data are left out with what they need" grep -q 'Left out: &quot;Prefill: time against length&quot; needs prefill cases' "$scratch/evil/index.html"
    ok "plots of the earlier report are gone" test ! -e "$scratch/evil/plots/prefill_time.svg" -a ! -e "$scratch/evil/plots/roofline.dat" \
        -a -e "$scratch/evil/plots/decode_time.svg"
    ok "tables without rows are left out too" same "$(grep -c 'Left out: "' "$scratch/evil/index.html")" 6
    ok "and have no heading, no link and no files" none '=#?encoders>|tables/encoders' "$scratch/evil/index.html"
    ok "those of the earlier report are gone" test ! -e "$scratch/evil/tables/encoders.md" -a ! -e "$scratch/evil/tables/machine.json" \
        -a -e "$scratch/evil/tables/speed.tex"
fi

# Tables for reading have the columns of the page, those for programs all.
columns() { grep -m 1 '^| case\|^| type\|^| model\|^| mode' "$scratch/report/tables/$1.md" | tr -cd '|' | wc -c; }
ok "speed.md has few columns" test "$(columns speed)" -le 15
ok "encoders.md has few columns" test "$(columns encoders)" -le 15
ok "speed.csv has all of them" grep -q 'low_ms.*high_ms.*kv_bytes_formula' "$scratch/report/tables/speed.csv"
PATH=$scratch/none "$ATTNBENCH" report "$sample" --out "$scratch/chosen" --columns L,label,wall_ms >/dev/null 2>&1
ok "columns that are asked for are shown, in that order" grep -qx '| L | type | wall clock, ms |' "$scratch/chosen/tables/speed.md"
ok "in LaTeX too" grep -q 'shortstack\[.\]{L} & .*{type} & .*{wall\\\\clock' "$scratch/chosen/tables/speed.tex"
ok "a table without them stays as it was" cmp "$scratch/report/tables/provenance.md" "$scratch/chosen/tables/provenance.md"
PATH=$scratch/none "$ATTNBENCH" report "$sample" --out "$scratch/chosen" --columns all >/dev/null 2>&1
ok "all columns on request" grep -q 'low .*high .*cache by' <(head -n 3 "$scratch/chosen/tables/encoders.md")

mkdir "$scratch/empty"
PATH=$scratch/empty run "$scratch/report" "$sample"
ok "without gnuplot: status 3" same "$status" 3
ok "one line says so" same "$(wc -l <"$scratch/stderr") $(grep -c 'gnuplot is not installed' "$scratch/stderr")" "1 1"
ok "page, tables, data and scripts are made" test -s "$page" -a -s "$scratch/report/tables/speed.md" -a -s "$scratch/report/plots/roofline.gp"
ok "pictures of an earlier report are gone" same "$(find "$scratch/report" -name '*.svg' -o -name '*.png' -o -name '*.pdf')" ""
ok "the page says why" grep -q 'No pictures' "$page"

printf '#!/bin/sh\necho "no such terminal <b>" >&2\nexit 1\n' >"$scratch/empty/gnuplot"
chmod +x "$scratch/empty/gnuplot"
PATH=$scratch/empty:$PATH run "$scratch/report" "$sample"
ok "with a gnuplot that fails: status 3" same "$status" 3
ok "its own words are reported" grep -q 'no such terminal' "$scratch/stderr"
ok "and escaped" none '<b>"' "$page"

# One picture that is none costs itself.
cat >"$scratch/empty/gnuplot" <<END
#!/bin/sh
'$scratch/hands_out/gnuplot' "\$@" || exit
for word; do [ "\$word" != decode_time.gp ] || echo "<svg>" | tee decode_time.svg >decode_time.page.svg; done
END
PATH=$scratch/empty:$PATH run "$scratch/report" "$sample"
ok "with a gnuplot that draws rubbish once: status 3" same "$status" 3
ok "all other pictures are on the page" same "$(grep -c '<svg ' "$page")" $((count - 1))
ok "in its place stands that" same "$(grep -A 5 'id=decode_time-title' "$page" | grep -c '<p>not drawn</p>')" 1
ok "the page says that one is missing, and why" grep -q 'Pictures are missing:.*decode_time.page.svg: not what gnuplot writes' "$page"
ok "the rubbish is not kept" test ! -e "$scratch/report/plots/decode_time.svg" -a -e "$scratch/report/plots/decode_time.dat" \
    -a -e "$scratch/report/plots/prefill_time.svg"

# A report that is killed takes a gnuplot that hangs with it.
printf '#!/bin/sh\necho $$ >%s/pid\nexec sleep 600\n' "$scratch" >"$scratch/empty/gnuplot"
PATH=$scratch/empty:$PATH "$ATTNBENCH" report "$sample" --out "$scratch/killed" >/dev/null 2>&1 &
report=$!
disown
until [ -s "$scratch/pid" ]; do sleep 0.1; done
kill -9 "$report"
is_gone() { # a process of that id: none, or one that has ended
    local i
    for i in $(seq 100); do
        grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}
ok "a killed report leaves no gnuplot behind" is_gone "$(cat "$scratch/pid")"
rm -rf "$scratch/killed"
ok "nothing is left behind" same "$(find "$scratch" -mindepth 1 -name '*tmp*')" ""
exit $failed
