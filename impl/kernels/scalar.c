#include "impl/kernels/kernels.h"
#include "impl/kernels/panels.h"

attn_linear attn_linear_rows(const attn_linear *w, size_t first, size_t count) {
    bool whole = w->panels && first % ATTN_PANEL == 0;
    return (attn_linear){.weight = w->weight ? w->weight + first * w->in : NULL,
                         .bias = w->bias ? w->bias + first : NULL,
                         .panels = whole ? w->panels + first * w->in : NULL,
                         .out = count,
                         .in = w->in};
}

void attn_linear_scalar(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    for (size_t r = 0; r < rows; r++)
        for (size_t o = 0; o < w->out; o++) {
            const float *a = x + r * ldx, *b = w->weight + o * w->in;
            double sum = w->bias ? w->bias[o] : 0.0;
#pragma omp simd reduction(+ : sum)
            for (size_t i = 0; i < w->in; i++)
                sum += (double)a[i] * (double)b[i];
            y[r * ldy + o] = (float)sum;
        }
}
