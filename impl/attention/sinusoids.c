#include "attn/alloc.h"
#include "attn/attention.h"

#include "impl/kernels/kernels.h"

#include <math.h>

double attn_position_step(size_t column, size_t d_model) {
    return pow(10000.0, -2.0 * (double)(column / 2) / (double)d_model);
}

void attn_positions(float *table, long first, size_t count, size_t d_model) {
    for (size_t i = 0; i < d_model; i++) {
        double step = attn_position_step(i, d_model);
        for (size_t r = 0; r < count; r++) {
            double angle = (double)(first + (long)r) * step;
            table[r * d_model + i] = (float)(i & 1 ? cos(angle) : sin(angle));
        }
    }
}

/* Multiples of 256 below 0, down to -reach - 256. */
static size_t coarse_below(size_t reach) {
    return (reach + ATTN_SINUSOIDS_FINE - 1) / ATTN_SINUSOIDS_FINE + 1;
}

static size_t coarse_rows(size_t reach) {
    return coarse_below(reach) + 1 + reach / ATTN_SINUSOIDS_FINE;
}

size_t attn_sinusoids_floats(size_t reach, size_t d_model) {
    return (ATTN_SINUSOIDS_FINE + coarse_rows(reach)) * attn_sinusoids_width(d_model);
}

/* Rows of whole pairs, for every step-th position. */
static void fill(float *rows, long first, long step, size_t count, const attn_sinusoids *s) {
    size_t pairs = s->width / 2;
    for (size_t i = 0; i < pairs; i++) {
        double along = attn_position_step(2 * i, s->d_model);
        for (size_t r = 0; r < count; r++) {
            double angle = (double)(first + (long)r * step) * along;
            rows[r * s->width + i] = (float)sin(angle);
            rows[r * s->width + pairs + i] = (float)cos(angle);
        }
    }
}

int attn_sinusoids_init(attn_sinusoids *s, size_t reach, size_t d_model, attn_error *error) {
    long below = (long)coarse_below(reach);
    *s = (attn_sinusoids){.d_model = d_model, .width = attn_sinusoids_width(d_model), .reach = reach};
    s->fine = attn_alloc(attn_sinusoids_floats(reach, d_model), sizeof *s->fine, "positions", error);
    if (!s->fine)
        return -1;
    s->coarse = s->fine + ATTN_SINUSOIDS_FINE * s->width;
    fill(s->fine, 0, 1, ATTN_SINUSOIDS_FINE, s);
    fill(s->coarse, -below * ATTN_SINUSOIDS_FINE, ATTN_SINUSOIDS_FINE, coarse_rows(reach), s);
    return 0;
}

void attn_sinusoids_free(attn_sinusoids *s) {
    attn_free(s->fine);
    *s = (attn_sinusoids){0};
}

/* The rows whose positions add up to p. */
static const float *coarse_of(const attn_sinusoids *s, long p, const float **fine) {
    size_t above = (size_t)(p + (long)coarse_below(s->reach) * ATTN_SINUSOIDS_FINE);
    *fine = s->fine + above % ATTN_SINUSOIDS_FINE * s->width;
    return s->coarse + above / ATTN_SINUSOIDS_FINE * s->width;
}

void attn_sinusoids_halves(const attn_sinusoids *s, float *row, long p) {
    const float *fine, *coarse = coarse_of(s, p, &fine);
    attn_rows()->add_angles(row, coarse, fine, s->width / 2);
}

void attn_sinusoids_row(const attn_sinusoids *s, float *row, long p) {
    size_t n = s->width / 2;
    const float *b, *a = coarse_of(s, p, &b);
    for (size_t i = 0; i < n; i++) {
        row[2 * i] = a[i] * b[n + i] + a[n + i] * b[i];
        row[2 * i + 1] = a[n + i] * b[n + i] - a[i] * b[i];
    }
}
