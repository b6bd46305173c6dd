#include "bench/limits/machine_streams.h"

#include "impl/kernels/isa/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { BYTES = 64 };
#elif defined(__AVX__)
enum { BYTES = 32 };
#else
enum { BYTES = 16 };
#endif
enum { LANES = BYTES / sizeof(float), FLOATS = 16 }; /* FLOATS: a step of every loop, a line of 64 bytes */

typedef float vector __attribute__((vector_size(BYTES), may_alias));

/* Keeps a step as it is written: no memset, memcpy or merged passes in its place. */
#define STEP_DONE() __asm__ volatile("" ::: "memory")

static void write_all(float *x, size_t n, float value, size_t passes) {
    const vector v = (vector){0} + value;
    for (size_t pass = 0; pass < passes; pass++)
        for (size_t i = 0; i < n; i += FLOATS) {
#pragma GCC unroll 4
            for (size_t k = 0; k < FLOATS; k += LANES)
                *(vector *)(x + i + k) = v;
            STEP_DONE();
        }
}

static void copy(float *to, const float *from, size_t n, size_t passes) {
    for (size_t pass = 0; pass < passes; pass++)
        for (size_t i = 0; i < n; i += FLOATS) {
#pragma GCC unroll 4
            for (size_t k = 0; k < FLOATS; k += LANES)
                *(vector *)(to + i + k) = *(const vector *)(from + i + k);
            STEP_DONE();
        }
}

static void triad(float *sum, const float *x, const float *y, float scale, size_t n, size_t passes) {
    const vector s = (vector){0} + scale;
    for (size_t pass = 0; pass < passes; pass++)
        for (size_t i = 0; i < n; i += FLOATS) {
#pragma GCC unroll 4
            for (size_t k = 0; k < FLOATS; k += LANES)
                *(vector *)(sum + i + k) = *(const vector *)(x + i + k) + s * *(const vector *)(y + i + k);
            STEP_DONE();
        }
}

#if defined(__x86_64__)
static void store_past_caches(float *to, vector v) {
#if defined(__AVX512F__)
    _mm512_stream_ps(to, (__m512)v);
#elif defined(__AVX__)
    _mm256_stream_ps(to, (__m256)v);
#else
    _mm_stream_ps(to, (__m128)v);
#endif
}

static void nt_write(float *x, size_t n, float value, size_t passes) {
    const vector v = (vector){0} + value;
    for (size_t pass = 0; pass < passes; pass++)
        for (size_t i = 0; i < n; i += FLOATS) {
#pragma GCC unroll 4
            for (size_t k = 0; k < FLOATS; k += LANES)
                store_past_caches(x + i + k, v);
            STEP_DONE();
        }
    _mm_sfence();
}
#else
#define nt_write NULL
#endif

extern const machine_streams ISA_NAME(machine_streams);
const machine_streams ISA_NAME(machine_streams) = {write_all, copy, triad, nt_write};
