#include "bench/limits/machine_clock.h"

#include "impl/kernels/isa/isa.h"

#if defined(__AVX512F__)
enum { BYTES = 64 };
#elif defined(__AVX__)
enum { BYTES = 32 };
#else
enum { BYTES = 16 };
#endif
enum { CHAINS = 4, ADDS_BETWEEN = MACHINE_CLOCK_ADDS / MACHINE_CLOCK_VECTORS };

typedef float vector __attribute__((vector_size(BYTES)));

machine_clock ISA_NAME(machine_clock);
uint64_t ISA_NAME(machine_clock)(uint64_t rounds, uint64_t one, float *lane) {
    vector chain[CHAINS] = {{0}}, scale = (vector){0} + (float)one, offset = scale;
    uint64_t sum = 0;
    for (uint64_t round = 0; round < rounds; round++) {
#pragma GCC unroll 8
        for (int v = 0; v < MACHINE_CLOCK_VECTORS; v++) {
            chain[v % CHAINS] = chain[v % CHAINS] * scale + offset;
#pragma GCC unroll 8
            for (int i = 0; i < ADDS_BETWEEN; i++) {
                sum += one;
                /* The compiler knows neither number, so that it keeps each addition, of two registers. */
                __asm__ volatile("" : "+r"(sum), "+r"(one));
            }
        }
    }
    vector all = chain[0];
    for (int c = 1; c < CHAINS; c++)
        all += chain[c];
    *lane = all[0] / CHAINS;
    return sum;
}
