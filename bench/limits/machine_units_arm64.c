#include "bench/limits/machine_units.h"

#if defined(__aarch64__)

#include <stdint.h>
#include <sys/auxv.h>

/* Bits of the kernel's Documentation/arch/arm64/elf_hwcaps.rst, which older headers lack. */
enum { DOT_PRODUCTS = 20, SVE = 22 };   /* AT_HWCAP */
enum { MATRICES_INT8 = 13, BF16 = 14 }; /* AT_HWCAP2 */
enum { CHAINS = 12, SUMS = 4 * CHAINS, ONE_BF16 = 0x3f80 };

static bool has_dotprod(void) {
    return getauxval(AT_HWCAP) >> DOT_PRODUCTS & 1;
}

static bool has_bf16(void) {
    return getauxval(AT_HWCAP2) >> BF16 & 1;
}

static bool has_i8mm(void) {
    return getauxval(AT_HWCAP2) >> MATRICES_INT8 & 1;
}

static bool has_sve(void) {
    return getauxval(AT_HWCAP) >> SVE & 1;
}

/* What the assembler may know; the rest of the program is for any 64-bit Arm. */
#define ARCHITECTURE ".arch armv8.6-a+sve\n"

/* Registers 0 to 11 sum, 30 and 31 are the factors. */
#define TWELVE(one)                                                                                          \
    one("0") one("1") one("2") one("3") one("4") one("5") one("6") one("7") one("8") one("9") one("10")      \
        one("11")
#define TAKEN                                                                                                \
    "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v30", "v31"
#define LOOP(body)                                                                                           \
    "1:\n" body "subs %[n], %[n], #1\n"                                                                      \
    "b.ne 1b\n"
#define ZERO(to) "movi v" to ".4s, #0\n"
#define STORE(from) "st1 {v" from ".4s}, [%[to]], #16\n"
#define PRODUCTS(factors, body)                                                                              \
    __asm__ volatile(ARCHITECTURE factors TWELVE(ZERO) LOOP(TWELVE(body)) TWELVE(STORE)                      \
                     : [n] "+r"(rounds), [to] "+r"(to)                                                       \
                     : [one] "r"(ONE_BF16)                                                                   \
                     : TAKEN)
#define ONE_BYTES "movi v30.16b, #1\nmovi v31.16b, #1\n"
#define ONE_BF16S                                                                                            \
    "dup v30.8h, %w[one]\n"                                                                                  \
    "dup v31.8h, %w[one]\n"
#define SDOT(to) "sdot v" to ".4s, v30.16b, v31.16b\n"
#define BFMMLA(to) "bfmmla v" to ".4s, v30.8h, v31.8h\n"
#define SMMLA(to) "smmla v" to ".4s, v30.16b, v31.16b\n"

static double sum_int32(const int32_t *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i];
    return sum;
}

static double sum_floats(const float *x, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i];
    return sum;
}

static double run_dotprod(size_t rounds) {
    int32_t sums[SUMS], *to = sums;
    PRODUCTS(ONE_BYTES, SDOT);
    return sum_int32(sums, SUMS);
}

static double run_bf16(size_t rounds) {
    float sums[SUMS], *to = sums;
    PRODUCTS(ONE_BF16S, BFMMLA);
    return sum_floats(sums, SUMS);
}

static double run_i8mm(size_t rounds) {
    int32_t sums[SUMS], *to = sums;
    PRODUCTS(ONE_BYTES, SMMLA);
    return sum_int32(sums, SUMS);
}

/* ---- SVE: vectors of 16 to 256 bytes, as the CPU has them */

#define SVE_ZERO(to) "fmov z" to ".s, #0.0\n"
#define SVE_FMLA(to) "fmla z" to ".s, p0/m, z30.s, z31.s\n"
#define SVE_STORE(from)                                                                                      \
    "st1w {z" from ".s}, p0, [%[to]]\n"                                                                      \
    "addvl %[to], %[to], #1\n"
enum { SVE_LANES_MAX = 64 };

static size_t sve_lanes(void) {
    uint64_t lanes;
    __asm__(ARCHITECTURE "cntw %0\n" : "=r"(lanes));
    return (size_t)lanes;
}

static double run_sve(size_t rounds) {
    float sums[CHAINS * SVE_LANES_MAX], *to = sums;
    __asm__ volatile(ARCHITECTURE "ptrue p0.s\n"
                                  "fmov z30.s, #1.0\n"
                                  "fmov z31.s, #1.0\n" TWELVE(SVE_ZERO) LOOP(TWELVE(SVE_FMLA))
                                      TWELVE(SVE_STORE)
                     : [n] "+r"(rounds), [to] "+r"(to)
                     :
                     : TAKEN);
    return sum_floats(sums, CHAINS * sve_lanes());
}

const machine_unit machine_units[] = {
    {"arm_dotprod", has_dotprod, SUMS * 4, NULL, run_dotprod},
    {"arm_bf16", has_bf16, SUMS * 4, NULL, run_bf16},
    {"arm_i8mm", has_i8mm, SUMS * 8, NULL, run_i8mm},
    {"sve", has_sve, CHAINS, sve_lanes, run_sve},
};
const size_t machine_unit_count = sizeof machine_units / sizeof *machine_units;

#endif
