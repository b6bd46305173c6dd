#!/usr/bin/env bash
# A call upwards, tried from each folder into each one above it, does not link. Where the program has what is called
# for another reason, the linker lets it through: then tests/check_house.sh finds it.
# Runs once: the same with sanitizers. Starts early.
. "$(dirname "$0")/support/check.sh"
: "${BUILD:=build}"
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
folders=(cli reports harness bench impl datasets base)
read -ra libraries <<<"-l:liblapacke.a $(pkg-config --libs openblas jansson yaml-0.1 sndfile flac kissfft-float popt) \
    -lbenchmark -lpapi -lsde -pthread -lm -ldl"
linker=()
command -v ld.gold >/dev/null && linker=(-fuse-ld=gold) # in two thirds of the time
sanitize=()
"$ATTNBENCH" info | grep -q fsanitize && sanitize=("-fsanitize=address,undefined")

declare -A function_of # folder: one that it has
for folder in "${folders[@]}"; do
    object=$(find "$BUILD/$folder" -name '*.o' -not -name main.o | sort | head -n 1)
    function_of[$folder]=$(nm -g --defined-only "$object" | awk '$2 == "T" && !seen++ { print $3 }')
done

call() { # from, to: an object of the folder `from` that calls into the folder `to`
    mkdir -p "$scratch/house/$1"
    echo "extern void ${function_of[$2]}(void); void call_from_$1_to_$2(void) { ${function_of[$2]}(); }" |
        gcc -x c -w -fno-builtin -c -o "$scratch/house/$1/call_to_$2.o" -
}

# The archives in the order of the Makefile, with the call next to those of its folder, and a program that needs it.
echo 'int main(void) { return 0; }' | gcc -x c -c -o "$scratch/main.o" -
links() { # from, to
    local folder archives=()
    for folder in "${folders[@]:1}"; do
        [ "$folder" != "$1" ] || archives+=("$scratch/call.a")
        archives+=("$BUILD/lib$folder.a")
    done
    rm -f "$scratch/call.a"
    ar qcs "$scratch/call.a" "$scratch/house/$1/call_to_$2.o" || return
    g++ "${sanitize[@]}" "${linker[@]}" -Wl,-u,"call_from_$1_to_$2" -o "$scratch/program" "$scratch/main.o" "${archives[@]}" \
        "${libraries[@]}" >"$scratch/out" 2>"$scratch/err"
}

for ((from = 1; from < ${#folders[@]}; from++)); do
    for ((to = 0; to < from; to++)); do
        call "${folders[from]}" "${folders[to]}"
        check "a call from ${folders[from]} to ${folders[to]} does not link" eval \
            '! links "${folders[from]}" "${folders[to]}" &&
            grep -q "undefined reference to .${function_of[${folders[to]}]}" "$scratch/err"'
    done
done
call bench base
check "a call downwards links" links bench base
call impl datasets # these know nothing of each other, though the order of the archives lets the call through

for folder in "${folders[@]}"; do cp -rs "$BUILD/$folder" "$scratch/house/"; done
BUILD=$scratch/house tests/check_house.sh >"$scratch/out" 2>"$scratch/err"
check "check_house.sh fails" [ $? -ne 0 ]
for ((from = 1; from < ${#folders[@]}; from++)); do
    for ((to = 0; to < from; to++)); do
        check "check_house.sh finds the call from ${folders[from]} to ${folders[to]}" \
            grep -q "^${folders[from]}/call_to_${folders[to]}.o calls .* of ${folders[to]}/" "$scratch/out"
    done
done
check "and that from impl to datasets" grep -q "^impl/call_to_datasets.o calls .* of datasets/" "$scratch/out"
check "and none downwards" eval '! grep "^bench/call_to_base.o" "$scratch/out"'
exit $failed
