#!/usr/bin/env bash
# The direction of flow, datasets -> impl -> bench -> harness -> reports: no folder includes one further down.
# Public headers compile alone.
set -u
cd "$(dirname "$0")/.."
bad=0
forbid() { # folder, pattern of includes that it must not have
    if grep -rnE "#include \"($2)/" "$1" --include='*.[ch]' --include='*.cc'; then
        echo "$1 must not include $2"
        bad=1
    fi
}
forbid datasets 'bench|harness|reports|attn/(attention|config|model|safetensors)'
forbid impl 'datasets|bench|harness|reports'
forbid bench 'harness|reports'
forbid harness 'reports'
if grep -rnE '#include <(papi|jansson|benchmark/benchmark)\.h>' impl --include='*.[ch]' | grep -v 'impl/io/'; then
    echo "impl is pure computation: no PAPI, no Google Benchmark, JSON only in impl/io"
    bad=1
fi
for header in impl/include/attn/*.h; do
    gcc -std=c17 -Wall -Wextra -Wpedantic -Werror -Iimpl/include -fsyntax-only -x c "$header" || bad=1
done
[ "$(find . -name '*.cc' -not -path './build*' | wc -l)" -eq 1 ] || { echo "expected exactly one .cc file"; bad=1; }
exit $bad
