/* y = x W^T + b;  dx = dy W, dW = dy^T x, db = sum of dy's rows. */
#include "impl/train/passes/pass.h"

#include <string.h>

void attn_train_linear(attn_real *y, const attn_real *x, const attn_linear *w, size_t rows) {
    const attn_real *bias = attn_values(w->bias);
    for (size_t r = 0; bias && r < rows; r++)
        memcpy(y + r * w->out, bias, w->out * sizeof *y);
    attn_real_gemm_nt(rows, w->out, w->in, 1, x, w->in, attn_values(w->weight), w->in, bias ? 1 : 0, y,
                      w->out);
}

void attn_train_linear_backward(attn_real *dx, attn_real beta, const attn_real *dy, const attn_real *x,
                                const attn_linear *w, const attn_linear *dw, size_t rows) {
    attn_real_gemm_tn(w->out, w->in, rows, 1, dy, w->out, x, w->in, 1, attn_gradients(dw->weight), w->in);
    if (w->bias)
        attn_train_rows()->add_columns(attn_gradients(dw->bias), dy, rows, w->out);
    if (dx)
        attn_real_gemm_nn(rows, w->in, w->out, 1, dy, w->out, attn_values(w->weight), w->in, beta, dx, w->in);
}
