#include "tests/support/spectra.h"

#include "attn/random.h"

#include <math.h>
#include <stdlib.h>

double spectra_normal(uint64_t *random) {
    double u = ((double)(attn_random_next(random) >> 11) + 0.5) * 0x1p-53;
    double v = (double)(attn_random_next(random) >> 11) * 0x1p-53;
    return sqrt(-2.0 * log(u)) * cos(2.0 * acos(-1.0) * v);
}

static double dot(const double *a, const double *b, size_t rows, size_t stride) {
    double sum = 0.0;
    for (size_t i = 0; i < rows; i++)
        sum += a[i * stride] * b[i * stride];
    return sum;
}

void spectra_orthonormal(double *q, size_t rows, size_t columns, uint64_t *random) {
    for (size_t c = 0; c < columns; c++) {
        for (size_t i = 0; i < rows; i++)
            q[i * columns + c] = spectra_normal(random);
        for (size_t twice = 0; twice < 2; twice++)
            for (size_t before = 0; before < c; before++) {
                double along = dot(q + c, q + before, rows, columns);
                for (size_t i = 0; i < rows; i++)
                    q[i * columns + c] -= along * q[i * columns + before];
            }
        double norm = sqrt(dot(q + c, q + c, rows, columns));
        for (size_t i = 0; i < rows; i++)
            q[i * columns + c] /= norm;
    }
}

void spectra_matrix(float *w, size_t rows, size_t columns, const double *sigma, uint64_t *random) {
    double *u = calloc(rows * columns, sizeof *u), *v = calloc(columns * columns, sizeof *v);
    spectra_orthonormal(u, rows, columns, random);
    spectra_orthonormal(v, columns, columns, random);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double sum = 0.0;
            for (size_t r = 0; r < columns; r++)
                sum += u[i * columns + r] * sigma[r] * v[j * columns + r];
            w[i * columns + j] = (float)sum;
        }
    free(u);
    free(v);
}

static int descending(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* One rotation that makes a[p][q] zero. */
static void rotate(double *a, size_t n, size_t p, size_t q) {
    double theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
    double t = (theta < 0.0 ? -1.0 : 1.0) / (fabs(theta) + sqrt(theta * theta + 1.0));
    double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
    for (size_t i = 0; i < n; i++) {
        double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
    for (size_t i = 0; i < n; i++) {
        double x = a[p * n + i], y = a[q * n + i];
        a[p * n + i] = c * x - s * y;
        a[q * n + i] = s * x + c * y;
    }
}

void spectra_eigenvalues(double *values, double *a, size_t n) {
    for (size_t sweep = 0; sweep < 30; sweep++)
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++)
                if (fabs(a[p * n + q]) > 1e-300)
                    rotate(a, n, p, q);
    for (size_t i = 0; i < n; i++)
        values[i] = a[i * n + i];
    qsort(values, n, sizeof *values, descending);
}

double spectra_tail(const double *sigma, size_t count, size_t rank) {
    double sum = 0.0;
    for (size_t i = rank; i < count; i++)
        sum += sigma[i] * sigma[i];
    return sqrt(sum);
}
