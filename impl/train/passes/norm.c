/* LayerNorm over each row and BatchNorm over each column. With n = (x - mean) s, s = 1 / sqrt(variance + eps),
 * y = n w + b and g = dy w:
 *
 *   dx = s (g - mean(g) - n mean(g n)),  dw = sum dy n,  db = sum dy,
 *
 * means over what the statistics are of. By fixed statistics dx = s g. */
#include "impl/train/passes/share.h"

#include <math.h>
#include <string.h>

void attn_train_layer_norm_layout(attn_norm_tape *tape, size_t rows, size_t width, attn_layouts *at) {
    size_t others = attn_threads_in_use() - 1;
    *tape = (attn_norm_tape){.normal = attn_arena_reals(&at->keep, rows, width),
                             .scale = attn_arena_reals(&at->keep, rows, 1),
                             .sums = attn_arena_reals(&at->scratch, 2 * others, width)};
}

typedef struct layer_norm {
    attn_real *y; /* in the gradient dx */
    const attn_norm_tape *tape;
    const attn_real *x; /* in the gradient dy */
    const attn_norm *norm, *dnorm;
    attn_real eps;
} layer_norm;

static void layer_norm_rows(const void *context, size_t begin, size_t end, size_t part) {
    const layer_norm *l = context;
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = l->norm->width;
    (void)part;
    for (size_t r = begin; r < end; r++)
        l->tape->scale[r] =
            k->layer_norm(l->y + r * n, l->tape->normal + r * n, l->x + r * n, attn_values(l->norm->weight),
                          attn_values(l->norm->bias), n, l->eps);
}

void attn_train_layer_norm(attn_real *y, attn_norm_tape *tape, const attn_real *x, const attn_norm *norm,
                           size_t rows, double eps) {
    layer_norm l = {.y = y, .tape = tape, .x = x, .norm = norm, .eps = (attn_real)eps};
    attn_train_share(rows, 1, layer_norm_rows, &l);
}

/* Part 0 adds to the gradient, the others to sums of their own. */
static void layer_norm_rows_backward(const void *context, size_t begin, size_t end, size_t part) {
    const layer_norm *l = context;
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = l->norm->width;
    attn_real *own = part ? l->tape->sums + 2 * (part - 1) * n : NULL;
    attn_real *dweight = own ? own : attn_gradients(l->dnorm->weight);
    attn_real *dbias = own ? own + n : attn_gradients(l->dnorm->bias);
    for (size_t r = begin; r < end; r++)
        k->layer_norm_backward(l->y + r * n, dweight, dbias, l->x + r * n, l->tape->normal + r * n,
                               attn_values(l->norm->weight), n, l->tape->scale[r]);
}

void attn_train_layer_norm_backward(attn_real *dx, const attn_real *dy, const attn_norm_tape *tape,
                                    const attn_norm *norm, const attn_norm *dnorm, size_t rows) {
    const attn_train_row_kernels *k = attn_train_rows();
    size_t n = norm->width, others = attn_threads_in_use() - 1;
    layer_norm l = {.y = dx, .tape = tape, .x = dy, .norm = norm, .dnorm = dnorm};
    for (size_t i = 0; i < 2 * others * n; i++)
        tape->sums[i] = 0;
    attn_train_share(rows, 1, layer_norm_rows_backward, &l);
    for (size_t part = 0; part < others; part++) {
        k->add(attn_gradients(dnorm->weight), tape->sums + 2 * part * n, n, 1);
        k->add(attn_gradients(dnorm->bias), tape->sums + (2 * part + 1) * n, n, 1);
    }
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
        memcpy(tape->mean, attn_values(norm->mean), n * sizeof *tape->mean);
        memcpy(tape->variance, attn_values(norm->variance), n * sizeof *tape->variance);
    } else if (rows) {
        k->moments(tape->mean, tape->variance, x, rows, n);
    }
    for (size_t c = 0; rows && c < n; c++)
        tape->scale[c] = (attn_real)(1.0 / sqrt((double)tape->variance[c] + ATTN_BATCH_NORM_EPS));
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
