#include "impl/attention/view.h"

#include <string.h>

void attn_blas_clear(const attn_blas_view *view, size_t head0, size_t heads) {
    const attn_geometry *g = &view->layer->geometry;
    for (size_t i = 0; i < view->frames; i++)
        memset(view->out + i * g->d_model + head0 * attn_head_dim(g), 0,
               heads * attn_head_dim(g) * sizeof(float));
}

void attn_blas_add_bias(float *y, const float *q, size_t ldq, const float *bias, size_t rows, size_t d_k) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < d_k; c++)
            y[r * d_k + c] = q[r * ldq + c] + bias[c];
}
