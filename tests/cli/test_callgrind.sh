#!/usr/bin/env bash
# Simulated counters: validated against known answers, the same on every run, and said to be missing where they are.
# Starts early.
. "$(dirname "$0")/../support/check.sh"

sweep() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" sweep --plan "$scratch/tiny.yaml" --counters callgrind "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

# As in the results file: name, source and value of each counter on lines of their own.
simulated() { # results file: "name value" of what callgrind counted
    awk '/^ *"counters_by_part"/ { parts = 1 } /^   }/ { parts = 0 } parts { next }
         /^ *"[a-z0-9_]+": \{$/ { name = $1 } /"source": "callgrind"/ { mine = 1 }
         /"value":/ && mine { print name, $2; mine = 0 }' "$1"
}

by_part() { # results file, name of a case: "part counter value" of its first repetition
    awk -v name="$2" 'index($0, "\"name\": \"" name) { mine = 1 } mine && /^   "counters_by_part": \{/ { on = 1 } !on { next }
         /^   }/ { exit } /^    "[a-z_\/]+": \{/ { part = $1 } /^     "[a-z0-9_]+": \{/ { counter = $1 }
         /"value":/ { print part, counter, $2 + 0 }' "$1" | tr -d '":'
}

cat >"$scratch/tiny.yaml" <<'END'
repetitions: 2
min_time: 0.001
cases: [attention/mla/decode/L:64/h:2/d:64/dc:32, attention/linear/chunk/L:32/h:2/d:64,
        encoder/conformer/mla/prefill/T:60/layers:2/h:2/d:32/dc:16/k:7]
END

# Without valgrind: one line, and nothing written.
mkdir "$scratch/empty"
check "without valgrind: bad input" env PATH="$scratch/empty" "$BASH" -c '
    "$1" sweep --plan "$2/tiny.yaml" --counters callgrind --out "$2/none.json" >"$2/out" 2>"$2/err"; [ $? -eq 2 ]' \
    - "$ATTNBENCH" "$scratch"
check "without valgrind: one line says why" [ "$(grep -cE "valgrind is not installed|valgrind's headers|sanitizers" \
    "$scratch/err") $(wc -l <"$scratch/err")" = "1 1" ]
check "without valgrind: nothing is left" [ -z "$(find "$scratch" -name 'none.json*')" ]
PATH=$scratch/empty "$ATTNBENCH" counters validate --counters callgrind --format csv >"$scratch/without" 2>"$scratch/err"
check "without valgrind: unavailable, with the reason" grep -qE '^instructions,callgrind,unavailable,,,,.*(install|header|sanitizers)' \
    "$scratch/without"

if ! command -v valgrind >/dev/null || "$ATTNBENCH" info | grep -q fsanitize || grep -q "valgrind's headers" "$scratch/without"; then
    echo "[  SKIPPED ] callgrind: no valgrind, or a build that it cannot run"
    exit $failed
fi

"$ATTNBENCH" counters validate --format csv >"$scratch/out" 2>"$scratch/err"
for metric in instructions l1d_reads l1d_writes l1d_misses llc_misses branches branch_misses cold_bytes; do
    check "callgrind's $metric are trusted" grep -q "^$metric,callgrind,trusted," "$scratch/out"
done
within() { # metric, per mille: measured against expected of the kernel that is furthest off
    awk -F, -v metric="$1" -v most="$2" '$1 == metric && $2 == "callgrind" {
        found = 1; off = $4 > 0 ? ($5 - $4) / $4 : 0; good = off * 1000 <= most && off * 1000 >= -most }
        END { exit !(found && good) }' "$scratch/out"
}
check "misses are within 5% of theory" eval 'within l1d_misses 50 && within llc_misses 50'
check "cycles are not simulated, and not 0" grep -q '^cycles,callgrind,unavailable,,,,' "$scratch/out"
check "every counter is trusted, scaled, unchecked, rejected or unavailable" eval '! tail -n +3 "$scratch/out" | cut -d, -f3 |
    grep -vxE "trusted|scaled|unchecked|rejected|unavailable"'
check "what is unavailable has no number" eval '! grep -E "^[a-z0-9_]+,[a-z_]+,unavailable,[^,]" "$scratch/out"'
check "what is unavailable has a reason" eval '! grep -E "^[a-z0-9_]+,[a-z_]+,unavailable,,,,\$" "$scratch/out"'

mkdir "$scratch/valgrind"
cat >"$scratch/valgrind/valgrind" <<'END'
#!/bin/sh
metric() { printf '{"name": "%s", "source": "callgrind", "status": "trusted"}' "$1"; }
echo "{\"metrics\": [$(metric instructions), $(metric l1d_misses), $(metric branches)]}"
END
chmod +x "$scratch/valgrind/valgrind"
PATH=$scratch/valgrind:$PATH "$ATTNBENCH" counters validate --counters callgrind --group branch --format csv >"$scratch/group" 2>"$scratch/err"
check "of a group, its events alone are shown" [ "$(tail -n +2 "$scratch/group" | cut -d, -f1-3 | xargs)" = \
    "instructions,callgrind,trusted branches,callgrind,trusted" ]

check "a sweep" eval 'TMPDIR=$scratch/empty sweep 0 --out "$scratch/a.json"'
check "another, elsewhere and with more in the environment" env MORE="$(printf '%5000s' '')" HOME="$scratch" "$BASH" -c '
    cd "$2" && "$1" sweep --plan "$2/tiny.yaml" --counters callgrind --out "$2/b.json" >"$2/out" 2>"$2/err"' - "$ATTNBENCH" "$scratch"
simulated "$scratch/a.json" >"$scratch/a"
simulated "$scratch/b.json" >"$scratch/b"
check "both have counts of every repetition" [ "$(grep -c '^"instructions":' "$scratch/a")" -eq 6 ]
check "the same counts" cmp "$scratch/a" "$scratch/b"
by_part "$scratch/a.json" encoder/ >"$scratch/parts"
by_part "$scratch/b.json" encoder/ | cmp -s - "$scratch/parts"
check "the same counts by part of an encoder" [ $? -eq 0 ]
check "of all its parts" [ "$(awk '$2 == "instructions" && $3 > 0 { print $1 }' "$scratch/parts" | sort -u | xargs)" = \
    "attention attention/cache_write attention/core attention/latent_maps attention/positions attention/projections attention/rest convolution feed_forward other subsampling" ]
check "those of attention are attention, exactly" awk '$2 == "instructions" && $1 ~ /\// { sum += $3 }
    $2 == "instructions" && $1 == "attention" { whole = $3 } END { exit !(sum > 0 && sum == whole) }' "$scratch/parts"
check "a layer has them too" [ "$(by_part "$scratch/a.json" attention/mla | awk '$2 == "instructions" && $3 > 0 { print $1 }' | xargs)" = \
    "attention attention/projections attention/latent_maps attention/cache_write attention/core attention/rest" ]
whole=$(awk '$1 == "\"instructions\":" { last = $2 } END { print last + 0 }' "$scratch/a")
check "which are the whole, within 1%" awk -v whole="$whole" '$2 == "instructions" && $1 !~ /\// { sum += $3 }
    END { off = sum / whole - 1; exit !(whole > 0 && off < 0.01 && off > -0.01) }' "$scratch/parts"
check "no value is 0 instructions" eval '! grep -qE "^\"instructions\": (0|0\.0),?\$" "$scratch/a"'
check "they say that they are simulated" grep -q '"note": "simulated: ' "$scratch/a.json"
check "and are validated" awk '/"source": "callgrind"/ { getline value; getline status
    if (value ~ /"value"/) { n++; if (status !~ /"validation": "trusted"/) bad = 1 } } END { exit bad || !n }' "$scratch/a.json"
check "bytes are compared with the formula" grep -q '"ratio": ' "$scratch/a.json"
check "nothing is left in the temporary folder" [ -z "$(ls -A "$scratch/empty")" ]
check "one group" sweep 0 --group branch --filter mla/decode --out "$scratch/g.json"
check "counts that group" [ "$(simulated "$scratch/g.json" | grep -cE '^"(instructions|branches|branch_misses)":')" -eq 6 ]
check "and derives from it" grep -q '"branch_miss_rate": {' "$scratch/g.json"
check "and no more" eval '! grep -q "\"l1d_misses\": {" "$scratch/g.json"'
exit $failed
