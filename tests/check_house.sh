#!/usr/bin/env bash
# The house (README, "The house"): calls go down one flight of stairs, no two files include each other, public headers
# compile alone in C and in C++. Takes the objects of a build that is there (BUILD, default build).
set -u
cd "$(dirname "$0")/.." || exit
build=${BUILD:-build}
order="cli reports harness bench impl datasets base"
bad=0
for folder in $order; do
    [ -d "$build/$folder" ] || { echo "$build/$folder: no such folder, expected the objects of a build (make)"; exit 2; }
done

# The linker refuses a call upwards only where nothing else has brought in what is called: nm finds the rest. Each
# folder may call those after it in the order, except that impl and datasets know nothing of each other.
for folder in $order; do
    find "$build/$folder" -name '*.o' -exec nm -gA {} +
done | awk -v build="$build/" -v order="$order" '
    BEGIN { n = split(order, names, " "); for (i = 1; i <= n; i++) floor[names[i]] = i }
    {
        colon = index($0, ":"); object = substr($0, 1, colon - 1); sub(build, "", object)
        kind = $(NF - 1); symbol = $NF
        if (kind == "U") { count++; caller[count] = object; called[count] = symbol }
        else if (kind ~ /[TDBRC]/ && !(symbol in home)) home[symbol] = object
    }
    END {
        for (i = 1; i <= count; i++) if (called[i] in home) {
            from = caller[i]; sub("/.*", "", from); to = home[called[i]]; sub("/.*", "", to)
            if (floor[to] < floor[from] || (from == "impl" && to == "datasets")) {
                print caller[i] " calls " called[i] " of " home[called[i]]; wrong = 1
            }
        }
        exit wrong
    }' || { echo "calls go down only: $order"; bad=1; }

# Calls do not come back to where they started either. Below a file is the one that it calls; the objects of one source
# for several instruction sets count as one.
for folder in impl base; do
    find "$build/$folder" -name '*.o' -exec nm -gA {} + | awk -v build="$build/" '
        {
            colon = index($0, ":"); file = substr($0, 1, colon - 1); sub(build, "", file)
            sub(/(\.(base|avx2|avx512))?\.o$/, "", file)
            kind = $(NF - 1); symbol = $NF
            if (kind == "U") { count++; caller[count] = file; called[count] = symbol }
            else if (kind ~ /[TDBRC]/ && !(symbol in home)) home[symbol] = file
        }
        END {
            for (i = 1; i <= count; i++)
                if (called[i] in home && home[called[i]] != caller[i]) print caller[i], home[called[i]]
        }' | tsort >/dev/null || { echo "$folder: these files call each other in a circle"; bad=1; }
done

# Includes follow the same order, and never come back to where they started: NAME.c and NAME.h count as one.
grep -rnoE '^#include "[^"]+"' --include='*.[ch]' --include='*.cc' $order | awk -F'[:"]' -v order="$order" '
    BEGIN { n = split(order, names, " "); for (i = 1; i <= n; i++) floor[names[i]] = i }
    function real(path) {
        if (path !~ /^attn\//) return path
        return (system("test -e base/include/" path) == 0 ? "base/include/" : "impl/include/") path
    }
    {
        target = $4
        if (!(target in place)) place[target] = real(target)
        one = $1; sub(/\.[a-z]+$/, "", one); other = place[target]; sub(/\.[a-z]+$/, "", other)
        sub("(base|impl)/include/attn/", "attn/", one); sub("(base|impl)/include/attn/", "attn/", other)
        if (one != other) includes[++count] = one " " other
        from = $1; sub("/.*", "", from); to = place[target]; sub("/.*", "", to)
        if (to in floor && (floor[to] < floor[from] || (from == "impl" && to == "datasets"))) {
            print $1 " includes " target; wrong = 1
        }
    }
    END {
        for (i = 1; i <= count; i++) print includes[i] | "tsort 2>&1 >/dev/null"
        close("tsort 2>&1 >/dev/null")
        exit wrong
    }' >"${TMPDIR:-/tmp}/check_house.$$" || bad=1
if [ -s "${TMPDIR:-/tmp}/check_house.$$" ]; then
    cat "${TMPDIR:-/tmp}/check_house.$$"
    echo "files include each other, or one further up"
    bad=1
fi
rm -f "${TMPDIR:-/tmp}/check_house.$$"

if grep -rnE '#include <(papi|benchmark/benchmark)\.h>' impl datasets base --include='*.[ch]'; then
    echo "impl, datasets and base measure nothing: no PAPI, no Google Benchmark"
    bad=1
fi
if grep -rn '#include <jansson\.h>' impl --include='*.[ch]' | grep -v '^impl/io/'; then
    echo "impl reads JSON in impl/io only"
    bad=1
fi
for header in base/include/attn/*.h impl/include/attn/*.h; do
    grep -q '^extern "C" {' "$header" || [ "$header" = impl/include/attn/attention.h ] || { echo "$header lacks extern \"C\""; bad=1; }
    for language in c c++; do
        gcc -x $language -Wall -Wextra -Wpedantic -Werror -Ibase/include -Iimpl/include -fsyntax-only "$header" || bad=1
    done
done
[ "$(find $order -name '*.cc' | wc -l)" -eq 1 ] || { echo "expected exactly one .cc file"; bad=1; }
while read -r folder; do
    files=$(find "$folder" -maxdepth 1 -type f | wc -l)
    [ "$files" -le 28 ] || { echo "$folder has $files files: divide it"; bad=1; }
done < <(find $order -type d)
exit $bad
