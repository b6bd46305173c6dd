/* What the training passes compute in. Every file of impl/train/passes is compiled twice: in float
 * for the library, and in double (ATTN_TRAIN_F64) for tests that compare gradients with finite differences.
 * The double build has names of its own (f64_names.h). There the pointers of an attn_model lead to doubles:
 * attn_values and attn_gradients are the only places that look behind them. */
#ifndef TRAIN_REAL_H
#define TRAIN_REAL_H

#ifdef ATTN_TRAIN_F64
#include "impl/train/passes/f64_names.h"
typedef double attn_real;
#else
typedef float attn_real;
#endif

#include "base/arena.h"

#include <stddef.h>

static inline const attn_real *attn_values(const void *tensor) {
    return tensor;
}
static inline attn_real *attn_gradients(void *tensor) {
    return tensor;
}

static inline attn_real *attn_arena_reals(attn_arena *arena, size_t rows, size_t width) {
    size_t count;
    if (__builtin_mul_overflow(rows, width, &count))
        count = SIZE_MAX;
    return (attn_real *)attn_arena_take(arena, count, sizeof(attn_real));
}

/* C [m, n] = alpha A B + beta C, in float by the library's wrappers (impl/kernels/kernels.h):
 * nt: A [m, k], B [n, k] transposed; nn: A [m, k], B [k, n]; tn: A [k, m] transposed, B [k, n]. */
void attn_real_gemm_nt(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc);
void attn_real_gemm_nn(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc);
void attn_real_gemm_tn(size_t m, size_t n, size_t k, attn_real alpha, const attn_real *a, size_t lda,
                       const attn_real *b, size_t ldb, attn_real beta, attn_real *c, size_t ldc);

#endif
