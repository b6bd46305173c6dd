#include "impl/convert/inputs.h"

#include "attn/alloc.h"
#include "attn/size.h"
#include "impl/convert/matrix.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { TILE_FRAMES = 256 };

float *attn_valid_inputs(const float *x, size_t batch, size_t frames, const size_t *valid, size_t d_model,
                         size_t *count, attn_error *error) {
    *count = 0;
    for (size_t b = 0; b < batch; b++)
        *count += valid[b];
    float *rows = attn_alloc(*count, d_model * sizeof *rows, "inputs of a layer", error), *to = rows;
    for (size_t b = 0; rows && b < batch; b++) {
        memcpy(to, x + b * frames * d_model, valid[b] * d_model * sizeof *to);
        to += valid[b] * d_model;
    }
    return rows;
}

static int find_mean(attn_moments *m, const float *x, attn_error *error) {
    for (size_t t = 0; t < m->frames; t++)
        for (size_t i = 0; i < m->d_model; i++)
            m->mean[i] += (double)x[t * m->d_model + i];
    for (size_t i = 0; i < m->d_model; i++) {
        m->mean[i] /= (double)m->frames;
        if (!isfinite(m->mean[i]))
            return attn_fail(error, "inputs of the layer: dimension %zu is not finite", i);
    }
    return 0;
}

static void centre(double *rows, const attn_moments *m, const float *x, size_t frames) {
    for (size_t t = 0; t < frames; t++)
        for (size_t i = 0; i < m->d_model; i++)
            rows[t * m->d_model + i] = (double)x[t * m->d_model + i] - m->mean[i];
}

static int find_covariance(attn_moments *m, const float *x, attn_error *error) {
    double *rows = attn_matrix_new(TILE_FRAMES, m->d_model, error);
    if (!rows)
        return -1;
    int d = (int)m->d_model;
    for (size_t first = 0; first < m->frames; first += TILE_FRAMES) {
        size_t count = attn_smaller(m->frames - first, TILE_FRAMES);
        centre(rows, m, x + first * m->d_model, count);
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, d, (int)count, 1.0 / (double)m->frames, rows, d,
                    1.0, m->covariance, d);
    }
    attn_free(rows);
    for (size_t i = 0; i < m->d_model; i++)
        m->trace += m->covariance[i * (m->d_model + 1)];
    if (!isfinite(m->trace))
        return attn_fail(error, "inputs of the layer: their variance overflows");
    if (m->trace <= 1e-14 * attn_matrix_norm2(m->mean, m->d_model)) { /* they differ by float32's rounding */
        memset(m->covariance, 0, m->d_model * m->d_model * sizeof *m->covariance);
        m->trace = 0.0;
    }
    return 0;
}

/* The part of |mean|^2 that is not what averaging `frames` inputs of this variance gives by itself. */
static double trust(const attn_moments *m) {
    double n = (double)m->frames, squared = attn_matrix_norm2(m->mean, m->d_model);
    if (m->frames > m->d_model)
        return 1.0;
    if (!(m->trace > 0.0) || !(squared > 0.0)) /* one input, however often */
        return 0.0;
    return fmax(0.0, 1.0 - m->trace / (n - 1.0) / squared);
}

/* Mean squared distance of an input from the affine hull of the others: 1 / (G^-1)_tt with the Gram matrix G
 * of inputs that have one large constant coordinate more. Spread over the directions that the others leave
 * open, it is how much a new input may be expected to move along each. */
static int find_unseen(attn_moments *m, const float *x, attn_error *error) {
    size_t n = m->frames, d = m->d_model;
    if (n > d || n < 2 || !(m->trace > 0.0))
        return 0;
    int result = -1;
    double *rows = attn_matrix_new(n, d, error), *gram = attn_matrix_new(n, n, error);
    double *diagonal = attn_matrix_new(1, n, error), distance = 0.0;
    if (!rows || !gram || !diagonal)
        goto done;
    centre(rows, m, x, n);
    attn_matrix_multiply(gram, rows, false, rows, true, n, n, d);
    for (size_t i = 0; i < n * n; i++)
        gram[i] += 100.0 * m->trace;
    for (size_t i = 0; i < n; i++) /* inputs that are the same have no distance, and no inverse */
        gram[i * (n + 1)] += 1e-10 * m->trace;
    if (attn_matrix_cholesky(gram, n, error) || attn_matrix_inverse_diagonal(diagonal, gram, n, error))
        goto done;
    for (size_t i = 0; i < n; i++)
        distance += 1.0 / diagonal[i] / (double)n;
    m->unseen = distance / (double)(d - n + 2);
    result = 0;
done:
    attn_free(rows);
    attn_free(gram);
    attn_free(diagonal);
    return result;
}

int attn_moments_make(attn_moments *m, const attn_layer_inputs *inputs, size_t d_model, attn_error *error) {
    *m = (attn_moments){.d_model = d_model, .frames = inputs->frames};
    m->mean = attn_matrix_new(1, d_model, error);
    m->covariance = attn_matrix_new(d_model, d_model, error);
    if (!m->mean || !m->covariance || find_mean(m, inputs->x, error) || find_covariance(m, inputs->x, error))
        return -1;
    m->mean_trust = trust(m);
    return find_unseen(m, inputs->x, error);
}

void attn_moments_free(attn_moments *m) {
    attn_free(m->mean);
    attn_free(m->covariance);
    *m = (attn_moments){0};
}

int attn_moments_root(double *root, const attn_moments *m, double ridge, attn_error *error) {
    size_t d = m->d_model;
    double trace_of_identity = m->trace > 0.0 ? 1e-14 * m->trace : 1.0;
    attn_error why = {0};
    for (int attempt = 0; attempt < 4; attempt++, trace_of_identity *= 100.0) {
        memcpy(root, m->covariance, d * d * sizeof *root);
        for (size_t i = 0; i < d; i++)
            root[i * (d + 1)] += ridge + trace_of_identity;
        why = (attn_error){0};
        if (!attn_matrix_cholesky(root, d, &why))
            return 0;
    }
    return attn_fail_as(error, why.code, "covariance of the layer's inputs: %s", why.message);
}
