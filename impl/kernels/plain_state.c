/* The plain reference of state.h. */
#include "impl/kernels/plain.h"

#include <math.h>

static double feature(float x) {
    return x > 0.0f ? x + 1.0 : exp(x);
}

void attn_plain_state_update(float *state, float *norm, const float *k, size_t ldk, const float *v,
                             size_t ldv, size_t rows, size_t width, float *workspace) {
    (void)workspace;
    for (size_t a = 0; a < width; a++) {
        double sum = norm[a];
        for (size_t r = 0; r < rows; r++)
            sum += feature(k[r * ldk + a]);
        norm[a] = (float)sum;
        for (size_t c = 0; c < width; c++) {
            sum = state[a * width + c];
            for (size_t r = 0; r < rows; r++)
                sum += feature(k[r * ldk + a]) * v[r * ldv + c];
            state[a * width + c] = (float)sum;
        }
    }
}

void attn_plain_state_read(float *y, size_t ldy, const float *q, size_t ldq, const float *state,
                           const float *norm, size_t rows, size_t width, float *workspace) {
    (void)workspace;
    for (size_t r = 0; r < rows; r++) {
        double denominator = ATTN_STATE_EPSILON;
        for (size_t a = 0; a < width; a++)
            denominator += feature(q[r * ldq + a]) * norm[a];
        for (size_t c = 0; c < width; c++) {
            double sum = 0.0;
            for (size_t a = 0; a < width; a++)
                sum += feature(q[r * ldq + a]) * state[a * width + c];
            y[r * ldy + c] = (float)(sum / denominator);
        }
    }
}
