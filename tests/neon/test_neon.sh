#!/usr/bin/env bash
# The kernels compiled for 64-bit Arm, checked under qemu's user emulation: that they are right, not that they are fast.
# Needs gcc-aarch64-linux-gnu and qemu-user. Runs once: it builds what it runs. Starts early.
set -u
cd "$(dirname "$0")/../.." || exit 1
cc=aarch64-linux-gnu-gcc qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static)
if ! command -v "$cc" >/dev/null || [ -z "$qemu" ]; then
    echo "[  SKIPPED ] kernels for 64-bit Arm: no $cc, or no qemu-aarch64"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
read -ra blas <<<"$(pkg-config --cflags-only-I openblas)"
# The kernels' own folder and what they call; tests/neon stands in for cmocka and BLAS.
"$cc" -std=c17 -O2 -static -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp-simd -D_DEFAULT_SOURCE \
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -DATTN_ISA=base \
    -Itests/neon -I. -Iimpl/include -Ibase/include "${blas[@]}" -o "$folder/kernels" \
    impl/kernels/*.c impl/kernels/isa/*.c impl/cache/element.c bench/kernel_setup.c base/alloc.c base/random.c base/error.c base/cpu.c base/threads.c \
    tests/neon/cblas_plain.c tests/bench/test_kernels.c -lm || exit 1
ATTN_TEST_DRAWS=${ATTN_TEST_DRAWS:-40} "$qemu" "$folder/kernels"
