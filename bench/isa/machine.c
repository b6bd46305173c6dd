#include "bench/limits/machine_kernels.h"

#include "impl/kernels/isa/isa.h"

#if defined(__AVX512F__)
enum { BYTES = 64 };
#elif defined(__AVX__)
enum { BYTES = 32 };
#else
enum { BYTES = 16 };
#endif
enum { LANES = BYTES / sizeof(float) };

typedef float vector __attribute__((vector_size(BYTES), may_alias));

static double sum_lanes(vector v) {
    double sum = 0.0;
    for (int i = 0; i < LANES; i++)
        sum += (double)v[i];
    return sum;
}

static double multiply_add(size_t rounds, float a, float b) {
    vector chain[MACHINE_CHAINS], scale = (vector){0} + a, offset = (vector){0} + b;
    for (int c = 0; c < MACHINE_CHAINS; c++)
        chain[c] = (vector){0} + (float)c;
    for (size_t round = 0; round < rounds; round++)
#pragma GCC unroll 12
        for (int c = 0; c < MACHINE_CHAINS; c++)
            chain[c] = chain[c] * scale + offset;
    double sum = 0.0;
    for (int c = 0; c < MACHINE_CHAINS; c++)
        sum += sum_lanes(chain[c]);
    return sum;
}

static double sum(const float *x, size_t n, size_t passes) {
    enum { PARTS = 8 };
    vector part[PARTS] = {{0}};
    double total = 0.0;
    for (size_t pass = 0; pass < passes; pass++) {
        size_t i = 0;
        for (; i + PARTS * LANES <= n; i += PARTS * LANES)
#pragma GCC unroll 8
            for (size_t p = 0; p < PARTS; p++)
                part[p] += *(const vector *)(x + i + p * LANES);
        for (; i < n; i++)
            total += (double)x[i];
    }
    for (size_t p = 0; p < PARTS; p++)
        total += sum_lanes(part[p]);
    return total;
}

extern const machine_kernels ISA_NAME(machine);
const machine_kernels ISA_NAME(machine) = {LANES, multiply_add, sum};
