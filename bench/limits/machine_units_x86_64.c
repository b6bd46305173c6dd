#include "bench/limits/machine_units.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CHAINS = 12 }; /* independent accumulators: enough to hide an instruction's latency */
static const short ONE_BF16 = 0x3f80;

/* ---- What there is */

typedef struct leaf {
    unsigned a, b, c, d;
} leaf;

static leaf cpuid7(unsigned sub) {
    leaf l = {0};
    if (!__get_cpuid_count(7, sub, &l.a, &l.b, &l.c, &l.d))
        l = (leaf){0};
    return l;
}

static bool has_avx512(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f"); /* which asks the kernel too */
}

static bool has_avx512_bf16(void) {
    return has_avx512() && (cpuid7(1).a >> 5 & 1);
}

static bool has_avx512_vnni(void) {
    return has_avx512() && (cpuid7(0).c >> 11 & 1);
}

static bool has_avx_vnni(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && (cpuid7(1).a >> 4 & 1);
}

/* Linux gives the tiles' registers to those that ask (Documentation/arch/x86/xstate.rst). */
static bool has_tiles(unsigned bit) {
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    unsigned d = cpuid7(0).d;
    return (d >> 24 & 1) && (d >> bit & 1) && !syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA);
}

static bool has_amx_bf16(void) {
    return has_tiles(22);
}

static bool has_amx_int8(void) {
    return has_tiles(25);
}

/* ---- Vectors */

__attribute__((target("avx512f,avx512bf16"))) static double run_avx512_bf16(size_t rounds) {
    const __m512bh one = (__m512bh)_mm512_set1_epi16(ONE_BF16);
    __m512 chain[CHAINS], sum = _mm512_setzero_ps();
    for (int c = 0; c < CHAINS; c++)
        chain[c] = _mm512_setzero_ps();
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            chain[c] = _mm512_dpbf16_ps(chain[c], one, one);
    for (int c = 0; c < CHAINS; c++)
        sum = _mm512_add_ps(sum, chain[c]);
    return (double)_mm512_reduce_add_ps(sum);
}

__attribute__((target("avx512f,avx512vnni"))) static double run_avx512_vnni(size_t rounds) {
    const __m512i one = _mm512_set1_epi8(1);
    __m512i chain[CHAINS], sum = _mm512_setzero_si512();
    for (int c = 0; c < CHAINS; c++)
        chain[c] = _mm512_setzero_si512();
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            chain[c] = _mm512_dpbusd_epi32(chain[c], one, one);
    for (int c = 0; c < CHAINS; c++)
        sum = _mm512_add_epi32(sum, chain[c]);
    return (double)_mm512_reduce_add_epi32(sum);
}

__attribute__((target("avx2,avxvnni"))) static double run_avx_vnni(size_t rounds) {
    const __m256i one = _mm256_set1_epi8(1);
    __m256i chain[CHAINS], sum = _mm256_setzero_si256();
    int32_t lane[8];
    for (int c = 0; c < CHAINS; c++)
        chain[c] = _mm256_setzero_si256();
    for (size_t r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            chain[c] = _mm256_dpbusd_avx_epi32(chain[c], one, one);
    for (int c = 0; c < CHAINS; c++)
        sum = _mm256_add_epi32(sum, chain[c]);
    _mm256_storeu_si256((__m256i *)lane, sum);
    double all = 0;
    for (int i = 0; i < 8; i++)
        all += lane[i];
    return all;
}

/* ---- Tiles: 16 rows of 64 bytes, four to sum in and four factors */

enum { TILES = 4, ROWS = 16, ROW_BYTES = 64 };

typedef struct tile_shapes { /* of LDTILECFG */
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

__attribute__((target("amx-tile"))) static void open_tiles(const void *factors) {
    tile_shapes shapes = {.palette = 1};
    for (int i = 0; i < 2 * TILES; i++) {
        shapes.row_bytes[i] = ROW_BYTES;
        shapes.rows[i] = ROWS;
    }
    _tile_loadconfig(&shapes);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, factors, ROW_BYTES);
    _tile_loadd(5, factors, ROW_BYTES);
    _tile_loadd(6, factors, ROW_BYTES);
    _tile_loadd(7, factors, ROW_BYTES);
}

__attribute__((target("amx-tile"))) static void close_tiles(void *sums) {
    char *to = sums;
    _tile_stored(0, to, ROW_BYTES);
    _tile_stored(1, to + ROWS * ROW_BYTES, ROW_BYTES);
    _tile_stored(2, to + 2 * ROWS * ROW_BYTES, ROW_BYTES);
    _tile_stored(3, to + 3 * ROWS * ROW_BYTES, ROW_BYTES);
    _tile_release();
}

__attribute__((target("amx-tile,amx-bf16"))) static double run_amx_bf16(size_t rounds) {
    short factors[ROWS * ROW_BYTES / 2];
    float sums[TILES * ROWS * ROW_BYTES / 4];
    double all = 0;
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        factors[i] = ONE_BF16;
    open_tiles(factors);
    for (size_t r = 0; r < rounds; r++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    close_tiles(sums);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        all += (double)sums[i];
    return all;
}

__attribute__((target("amx-tile,amx-int8"))) static double run_amx_int8(size_t rounds) {
    int8_t factors[ROWS * ROW_BYTES];
    int32_t sums[TILES * ROWS * ROW_BYTES / 4];
    double all = 0;
    for (size_t i = 0; i < sizeof factors; i++)
        factors[i] = 1;
    open_tiles(factors);
    for (size_t r = 0; r < rounds; r++) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    }
    close_tiles(sums);
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        all += sums[i];
    return all;
}

const machine_unit machine_units[] = {
    {"avx512_bf16", has_avx512_bf16, CHAINS * 32, NULL, run_avx512_bf16},
    {"avx512_vnni", has_avx512_vnni, CHAINS * 64, NULL, run_avx512_vnni},
    {"avx_vnni", has_avx_vnni, CHAINS * 32, NULL, run_avx_vnni},
    {"amx_bf16", has_amx_bf16, TILES * 16 * 16 * 32, NULL, run_amx_bf16},
    {"amx_int8", has_amx_int8, TILES * 16 * 16 * 64, NULL, run_amx_int8},
};
const size_t machine_unit_count = sizeof machine_units / sizeof *machine_units;

#elif !defined(__aarch64__)

const machine_unit machine_units[1];
const size_t machine_unit_count;

#endif
