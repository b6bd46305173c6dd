/* Linear attention (Katharopoulos et al. 2020, eq. 5-7) of one head: keys and values go into a state, queries read it.
 * Private to impl/. Pure: no allocation, no failure.
 *
 *   S += sum_i phi(k_i) v_i^T,   z += sum_i phi(k_i)       phi(x) = elu(x) + 1
 *   y_i = phi(q_i)^T S / (phi(q_i)^T z + epsilon)
 *
 * Keys and queries come without phi, which is computed for some rows at a time and used while it is near the core. */
#ifndef IMPL_KERNELS_STATE_H
#define IMPL_KERNELS_STATE_H

#include <stddef.h>

#define ATTN_STATE_EPSILON 1e-6f

typedef struct attn_state_kernels {
    /* state [width, width], norm [width]; k and v: rows of width floats, ldk and ldv apart. */
    void (*update)(float *state, float *norm, const float *k, size_t ldk, const float *v, size_t ldv,
                   size_t rows, size_t width, float *workspace);
    /* y and q: rows of width floats, ldy and ldq apart; y must not overlap q. */
    void (*read)(float *y, size_t ldy, const float *q, size_t ldq, const float *state, const float *norm,
                 size_t rows, size_t width, float *workspace);
} attn_state_kernels;
const attn_state_kernels *attn_state(void); /* for attn_cpu_isa() */

/* Floats of workspace, of both. */
size_t attn_state_floats(size_t width);

enum { ATTN_STATE_ROWS = 64 /* whose phi is computed together */ };

#endif
