/* LayerNorm over each row and BatchNorm over each column. With n = (x - mean) s, s = 1 / sqrt(variance + eps),
 * y = n w + b and g = dy w:
 *
 *   dx = s (g - mean(g) - n mean(g n)),  dw = sum dy n,  db = sum dy,
 *
 * means over what the statistics are of. By fixed statistics dx = s g. */
#include "impl/train/passes/pass.h"

#include <math.h>
#include <string.h>

static const double batch_norm_eps = 1e-5; /* PyTorch's default, which ESPnet and WeNet keep */

void attn_train_layer_norm_layout(attn_norm_tape *tape, size_t rows, size_t width, attn_layouts *at) {
    *tape = (attn_norm_tape){.normal = attn_arena_reals(&at->keep, rows, width),
                             .scale = attn_arena_reals(&at->keep, rows, 1)};
}

void attn_train_layer_norm(attn_real *y, attn_norm_tape *tape, const attn_real *x, const attn_norm *norm,
                           size_t rows, double eps) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = norm->width;
    for (size_t r = 0; r < rows; r++)
        tape->scale[r] = k->layer_norm(y + r * n, tape->normal + r * n, x + r * n, attn_values(norm->weight),
                                       attn_values(norm->bias), n, (attn_real)eps);
}

void attn_train_layer_norm_backward(attn_real *dx, const attn_real *dy, const attn_norm_tape *tape,
                                    const attn_norm *norm, const attn_norm *dnorm, size_t rows) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = norm->width;
    for (size_t r = 0; r < rows; r++)
        k->layer_norm_backward(dx + r * n, attn_gradients(dnorm->weight), attn_gradients(dnorm->bias),
                               dy + r * n, tape->normal + r * n, attn_values(norm->weight), n,
                               tape->scale[r]);
}

void attn_train_batch_norm_layout(attn_norm_tape *tape, size_t rows, size_t width, attn_layouts *at) {
    *tape = (attn_norm_tape){.normal = attn_arena_reals(&at->keep, rows, width),
                             .scale = attn_arena_reals(&at->keep, 1, width),
                             .mean = attn_arena_reals(&at->keep, 1, width),
                             .variance = attn_arena_reals(&at->keep, 1, width),
                             .sums = attn_arena_reals(&at->scratch, 2, width)};
}

void attn_train_batch_norm(attn_real *y, attn_norm_tape *tape, const attn_real *x, const attn_norm *norm,
                           const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = norm->width, rows = pass->rows.rows;
    if (pass->fixed_statistics) {
        memcpy(tape->mean, norm->mean, n * sizeof *tape->mean);
        memcpy(tape->variance, norm->variance, n * sizeof *tape->variance);
    } else if (rows) {
        k->moments(tape->mean, tape->variance, x, rows, n);
    }
    for (size_t c = 0; rows && c < n; c++)
        tape->scale[c] = (attn_real)(1.0 / sqrt((double)tape->variance[c] + batch_norm_eps));
    for (size_t r = 0; r < rows; r++)
        k->normalize(y + r * n, tape->normal + r * n, x + r * n, tape->mean, tape->scale,
                     attn_values(norm->weight), attn_values(norm->bias), n);
}

/* dx = scale w (dy - mean(dy) - normal mean(dy normal)): w is the same in a whole column. */
static void batch_norm_columns(attn_real *restrict dx, const attn_real *restrict dy,
                               const attn_norm_tape *tape, const attn_real *restrict w, size_t rows,
                               size_t n) {
    const attn_real *restrict normal = tape->normal, *restrict mean = tape->sums, *along = tape->sums + n;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < n; c++)
            dx[r * n + c] = tape->scale[c] * w[c] * (dy[r * n + c] - mean[c] - normal[r * n + c] * along[c]);
}

void attn_train_batch_norm_backward(attn_real *dx, const attn_real *dy, const attn_norm_tape *tape,
                                    const attn_norm *norm, const attn_norm *dnorm,
                                    const attn_train_pass *pass) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = norm->width, rows = pass->rows.rows;
    attn_real *sum = tape->sums, *along = sum + n;
    memset(sum, 0, 2 * n * sizeof *sum);
    for (size_t r = 0; r < rows; r++) {
        k->add(sum, dy + r * n, n, 1);
        k->multiply_add(along, dy + r * n, tape->normal + r * n, n);
    }
    k->add(attn_gradients(dnorm->bias), sum, n, 1);
    k->add(attn_gradients(dnorm->weight), along, n, 1);
    for (size_t c = 0; c < 2 * n; c++)
        sum[c] = pass->fixed_statistics || !rows ? 0 : sum[c] / (attn_real)rows;
    batch_norm_columns(dx, dy, tape, attn_values(norm->weight), rows, n);
}
