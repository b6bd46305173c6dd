#include "attn/cpu.h"
#include "impl/kernels/attend.h"
#include "impl/kernels/kernels.h"

/* Up to this many rows our kernels, which read the weight as it lies, are faster than OpenBLAS, which packs it
 * first: measured on maps of 512 and 2048 on a core with AVX-512, where it holds at least to 256 rows. */
static size_t most_rows(void) {
    static const size_t most[] = {[ATTN_ISA_BASE] = 0, [ATTN_ISA_AVX2] = 32, [ATTN_ISA_AVX512] = (size_t)-1};
    return most[attn_cpu_isa()];
}

void attn_linear_fast(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    if (rows <= most_rows())
        attn_attend()->linear(y, ldy, x, ldx, w->weight, w->bias, rows, w->out, w->in);
    else
        attn_linear_blas(y, ldy, x, ldx, w, rows);
}

void attn_fold_blas(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    attn_gemm_nn(rows, w->in, w->out, 1.0f, x, ldx, w->weight, w->in, 0.0f, y, ldy);
}

void attn_fold_fast(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    if (rows <= most_rows())
        attn_attend()->fold(y, ldy, x, ldx, w->weight, rows, w->out, w->in);
    else
        attn_fold_blas(y, ldy, x, ldx, w, rows);
}
