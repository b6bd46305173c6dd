/* y = x W^T + b;  dx = dy W, dW = dy^T x, db = sum of dy's rows. Threads share the rows of y, dx and dW. */
#include "impl/train/passes/share.h"

#include <string.h>

enum { UNIT = 8 }; /* rows */

typedef struct linear {
    attn_real *y; /* y; in the gradient dx */
    const attn_real *x, *dy;
    const attn_linear *w, *dw;
    attn_real beta;
    size_t rows;
} linear;

static void forward(const void *context, size_t begin, size_t end, size_t part) {
    const linear *l = context;
    const attn_linear *w = l->w;
    const attn_real *bias = attn_values(w->bias);
    (void)part;
    for (size_t r = begin; bias && r < end; r++)
        memcpy(l->y + r * w->out, bias, w->out * sizeof *l->y);
    attn_real_gemm_nt(end - begin, w->out, w->in, 1, l->x + begin * w->in, w->in, attn_values(w->weight),
                      w->in, bias ? 1 : 0, l->y + begin * w->out, w->out);
}

void attn_train_linear(attn_real *y, const attn_real *x, const attn_linear *w, size_t rows) {
    linear l = {.y = y, .x = x, .w = w};
    attn_train_share(rows, UNIT, forward, &l);
}

static void weight_gradient(const void *context, size_t begin, size_t end, size_t part) {
    const linear *l = context;
    const attn_linear *w = l->w;
    (void)part;
    attn_real_gemm_tn(end - begin, w->in, l->rows, 1, l->dy + begin, w->out, l->x, w->in, 1,
                      attn_gradients(l->dw->weight) + begin * w->in, w->in);
}

static void input_gradient(const void *context, size_t begin, size_t end, size_t part) {
    const linear *l = context;
    const attn_linear *w = l->w;
    (void)part;
    attn_real_gemm_nn(end - begin, w->in, w->out, 1, l->dy + begin * w->out, w->out, attn_values(w->weight),
                      w->in, l->beta, l->y + begin * w->in, w->in);
}

void attn_train_linear_backward(attn_real *dx, attn_real beta, const attn_real *dy, const attn_real *x,
                                const attn_linear *w, const attn_linear *dw, size_t rows) {
    linear l = {.y = dx, .x = x, .dy = dy, .w = w, .dw = dw, .beta = beta, .rows = rows};
    attn_train_share(w->out, UNIT, weight_gradient, &l);
    if (w->bias)
        attn_train_rows()->add_columns(attn_gradients(dw->bias), dy, rows, w->out);
    if (dx)
        attn_train_share(rows, UNIT, input_gradient, &l);
}
