#!/usr/bin/env bash
# A user's program links with libattn.a and the libraries that it names, and nothing else of the project, in C and in C++.
. "$(dirname "$0")/../support/check.sh"
: "${BUILD:=build}"

sanitize=()
"$ATTNBENCH" info | grep -q fsanitize && sanitize=("-fsanitize=address,undefined")
read -ra flags <<<"$(pkg-config --cflags openblas jansson yaml-0.1)"
read -ra libraries <<<"-l:liblapacke.a $(pkg-config --libs openblas jansson yaml-0.1) -lm -pthread"
cp -r impl/include/attn "$scratch/attn" # public headers, and no other header in reach
cp base/include/attn/* "$scratch/attn/"

build() { # compiler, language, standard
    (cd "$scratch" && "$1" -x "$2" "-std=$3" -Wall -Wextra -Werror "${sanitize[@]}" -I. "${flags[@]}" \
        "$OLDPWD/tests/lib/one_layer.c" -x none "$library" "${libraries[@]}" -o "$scratch/$2") >"$scratch/out" 2>"$scratch/err"
}
case $BUILD in /*) library=$BUILD/libattn.a ;; *) library=$PWD/$BUILD/libattn.a ;; esac

for way in "gcc c gnu17" "g++ c++ c++17"; do
    read -r compiler language standard <<<"$way"
    check "$language: links" build "$compiler" "$language" "$standard"
    "$scratch/$language" >"$scratch/out" 2>"$scratch/err"
    # 12 frames of 8 floats
    check "$language: runs a layer" [ "$? $(cat "$scratch/out")" = "0 agrees, cache 384 bytes" ]
done
check "the library calls nothing of datasets, bench, harness, reports or cli" eval '! nm -A "$library" |
    grep -E " U (bench_|harness_|results_|plan_|reports_|main$)"'
exit $failed
