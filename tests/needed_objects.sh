#!/usr/bin/env bash
# needed_objects.sh OBJECT... -- CANDIDATE...: prints the candidates that the objects call, directly or through
# one another.
set -u
objects=() candidates=()
to=objects
for word; do
    if [ "$word" = -- ]; then to=candidates; elif [ $to = objects ]; then objects+=("$word"); else candidates+=("$word"); fi
done
{
    nm -gA "${objects[@]}" | awk '$(NF-1) == "U" { print "want", $NF }'
    nm -gA "${candidates[@]}" | awk '
        { object = $1; sub(/:[^:]*$/, "", object) }
        $(NF-1) == "U" { print "needs", object, $NF; next }
        NF == 3 { print "has", object, $3 }'
} | awk '
    $1 == "want" { wanted[$2] = 1 }
    $1 == "has" { home[$3] = $2 }
    $1 == "needs" { needs[$2] = needs[$2] " " $3 }
    END {
        do {
            grew = 0
            for (symbol in wanted)
                if (symbol in home && !(home[symbol] in taken)) {
                    taken[home[symbol]] = 1
                    count = split(needs[home[symbol]], more, " ")
                    for (i = 1; i <= count; i++) wanted[more[i]] = 1
                    grew = 1
                }
        } while (grew)
        for (object in taken) print object
    }' | sort
