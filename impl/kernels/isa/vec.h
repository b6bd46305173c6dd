/* Vectors of VL floats of the instruction set that a file is compiled for. Arithmetic is the compiler's (GCC
 * and clang write a + b for vectors; a * b + c becomes one fused instruction); the few things that C cannot
 * write are in one small header an instruction set, which gives:
 *
 *   VL, SHUFFLE            lanes; SHUFFLE(a, b, F, s) has lane l of F(l, s) of a (0..VL-1) and b (VL..2VL-1)
 *   SUMS, MIXED            accumulators that dot_tile and mix_tile of products.h keep in registers
 *   TOGETHER               the most rows of those tiles
 *   TALL                   rows of a tile of panels.h, whose PANEL / VL accumulators each are in registers
 *   load_part, store_part  the first n lanes, n < VL; the rest loads as 0
 *   larger                 a > b ? a : b
 *   zero_below             x < low ? 0 : y, so that a NaN in x leaves y
 *   widen_f16, widen_bf16, widen_i8   VL halves or bytes to floats
 *   half_to_float          one half
 */
#ifndef KERNELS_ISA_VEC_H
#define KERNELS_ISA_VEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include "impl/kernels/isa/vec_avx512.h"
#elif defined(__AVX2__)
#include "impl/kernels/isa/vec_avx2.h"
#elif defined(__ARM_NEON)
#include "impl/kernels/isa/vec_neon.h"
#else
#include "impl/kernels/isa/vec_base.h"
#endif

/* TILE functions are copied for each number of rows and type of elements, and their loops unrolled. Sanitizers check every
 * access in every copy, and compile for a minute and a half. Under them there is one copy, with loops, and the compiler
 * decides what it copies where it is called. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INLINE static inline
#define TILE static __attribute__((unused)) /* of a header, which not every file calls */
#define UNROLL
#else
#define INLINE static inline __attribute__((always_inline))
#define TILE INLINE
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#endif

INLINE vec load(const float *p) {
    return (vec) * (const vec_anywhere *)p;
}
INLINE void store(float *p, vec x) {
    *(vec_anywhere *)p = x;
}
INLINE vec broadcast(float x) {
    return x - (vec){0}; /* subtracting 0 changes nothing, not even -0 */
}

/* As many floats, up to whole vectors. */
INLINE size_t padded(size_t width) {
    return (width + VL - 1) / VL * VL;
}

/* Which of two vectors a lane comes from. KEEP takes lane l of b where bit s of l is set, else of a; CROSS
 * takes what KEEP left in the pair (l, l ^ s). */
#define KEEP(l, s) ((l) & (s) ? VL + (l) : (l))
#define CROSS(l, s) ((l) & (s) ? VL + ((l) ^ (s)) : (l) ^ (s))
#define FOLD(a, b, s) (SHUFFLE(a, b, KEEP, s) + SHUFFLE(a, b, CROSS, s))

/* Lane l is the sum of the lanes of a[l]; spoils a. Each step halves the vectors, and what is left to add. */
INLINE vec lane_sums(vec a[VL]) {
#if VL > 8
    UNROLL
    for (size_t i = 0; i < 8; i++)
        a[i] = FOLD(a[i], a[i + 8], 8);
#endif
#if VL > 4
    UNROLL
    for (size_t i = 0; i < 4; i++)
        a[i] = FOLD(a[i], a[i + 4], 4);
#endif
    UNROLL
    for (size_t i = 0; i < 2; i++)
        a[i] = FOLD(a[i], a[i + 2], 2);
    return FOLD(a[0], a[1], 1);
}

/* The two halves of swapping, between a pair of rows, the blocks off the diagonal. */
#define UPPER(l, s) ((l) & (s) ? VL + ((l) ^ (s)) : (l))
#define LOWER(l, s) ((l) & (s) ? VL + (l) : (l) ^ (s))
#define SWAP(a, s)                                                                                           \
    UNROLL                                                                                                   \
    for (size_t i = 0; i < VL; i++)                                                                          \
        if (!(i & (s))) {                                                                                    \
            vec upper = SHUFFLE(a[i], a[i + (s)], UPPER, s);                                                 \
            a[i + (s)] = SHUFFLE(a[i], a[i + (s)], LOWER, s);                                                \
            a[i] = upper;                                                                                    \
        }

/* a [VL, VL] becomes its transpose. */
INLINE void transpose(vec a[VL]) {
#if VL > 8
    SWAP(a, 8)
#endif
#if VL > 4
    SWAP(a, 4)
#endif
    SWAP(a, 2)
    SWAP(a, 1)
}

#define OTHER(l, s) ((l) ^ (s))

INLINE float sum_of(vec x) {
    float sum = 0.0f;
    for (size_t i = 0; i < VL; i++)
        sum += x[i];
    return sum;
}

/* In every lane; a NaN may be passed over. */
INLINE vec largest_of(vec x) {
#if VL > 8
    x = larger(x, SHUFFLE(x, x, OTHER, 8));
#endif
#if VL > 4
    x = larger(x, SHUFFLE(x, x, OTHER, 4));
#endif
    x = larger(x, SHUFFLE(x, x, OTHER, 2));
    return larger(x, SHUFFLE(x, x, OTHER, 1));
}

#endif
