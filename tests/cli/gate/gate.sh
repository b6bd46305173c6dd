# For test scripts of the gate, sourced: a plan, made-up programs, and what the reports say.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../../support/check.sh"
only=
. "$(dirname "${BASH_SOURCE[0]}")/fake.sh"

cat >"$scratch/tiny.yaml" <<'END'
repetitions: 3
min_time: 0.001
cases:
  - attention/mha/decode/L:8/h:2/d:8
  - attention/gqa/decode/L:8/h:2/d:8
  - attention/mla/decode/L:8/h:2/d:8/dc:4
  - attention/linear/decode/L:8/h:2/d:8
END

make_fake() { # name, settings
    copy_fake "$scratch/$1"
    echo "$2" >"$scratch/$1.conf"
}

gate() { # status expected, arguments
    local expected=$1
    shift
    "$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --budget 60s --no-attribution --json "$scratch/report.json" \
        --junit "$scratch/junit.xml" --markdown "$scratch/report.md" "$@" >"$scratch/out" 2>"$scratch/err"
    [ $? -eq "$expected" ]
}

against() { # status expected, settings of the candidate, settings of the base
    rm -f "$scratch"/*.calls
    make_fake base "${3:-}"
    make_fake candidate "$2"
    gate "$1" --base "$scratch/base" --candidate "$scratch/candidate" $only
}

verdict() { # verdict, how many lines of the JSON have it
    [ "$(grep -c "^ *\"verdict\": \"$1\",\$" "$scratch/report.json")" -eq "$2" ]
}

bytes() { # verdict, how many
    [ "$(grep -c "^ *\"verdict\": \"$1\"\$" "$scratch/report.json")" -eq "$2" ]
}

says() { # text in file
    grep -qF -- "$1" "$scratch/$2"
}

interrupted() { # options: the gate gets SIGTERM once the candidate has left its mark, and ends by it
    rm -f "$scratch/candidate.mark" "$scratch/report.json"
    "$ATTNBENCH" gate --plan "$scratch/tiny.yaml" --base "$scratch/base" --candidate "$scratch/candidate" "$@" \
        --json "$scratch/report.json" >"$scratch/out" 2>"$scratch/err" &
    terminated $! "$scratch/candidate.mark"
}
