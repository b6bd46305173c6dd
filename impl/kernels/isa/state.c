/* The state of linear attention; compiled once per instruction set (ATTN_ISA). */
#include "impl/kernels/state.h"

#include "impl/kernels/isa/exp_vec.h"
#include "impl/kernels/isa/isa.h"
#include "impl/kernels/isa/products.h"

enum {
    STATE_TILE = 4, /* rows of a tile of registers */
    STATE_STEP = 16 /* rows that go over a matrix together */
};

INLINE vec phi_vec(vec x) {
    const vec zero = {0};
    return exp_vec(-larger(-x, zero)) + larger(zero, x); /* in this order, as then a NaN comes out */
}

/* phi [rows, ldp] of x, ldp whole vectors. */
static void fill_phi(float *phi, size_t ldp, const float *x, size_t ldx, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c += VL)
            store(phi + r * ldp + c,
                  phi_vec(c + VL <= width ? load(x + r * ldx + c) : load_part(x + r * ldx + c, width - c)));
}

/* Rows of out, `ldo` apart: p b, or out + p b where it `adds`. */
INLINE void mix_steps(float *out, size_t ldo, left_rows p, const matrix *b, size_t width, size_t count,
                      bool adds) {
    float one[STATE_STEP], *to[STATE_STEP];
    for (size_t i = 0; i < STATE_STEP; i++)
        one[i] = 1.0f;
    p.tile = STATE_TILE * p.row;
    for (size_t i = 0, step; i < count; i += step, p.data += step * p.row) {
        step = count - i >= STATE_STEP ? STATE_STEP : count - i >= STATE_TILE ? STATE_TILE : 1;
        for (size_t r = 0; r < step; r++)
            to[r] = out + (i + r) * ldo;
        if (step == 1)
            mix_rows(to, adds ? one : NULL, p, b, width, 1, 1, ATTN_ELEMENT_F32);
        else
            mix_rows(to, adds ? one : NULL, p, b, width, step, STATE_TILE, ATTN_ELEMENT_F32);
    }
}

static void update(float *state, float *norm, const float *k, size_t ldk, const float *v, size_t ldv,
                   size_t rows, size_t width, float *phi) {
    size_t ldp = padded(width);
    for (size_t r = 0, some; r < rows; r += some) {
        some = rows - r < ATTN_STATE_ROWS ? rows - r : ATTN_STATE_ROWS;
        const matrix values = matrix_of(v + r * ldv, ldv * sizeof *v, some);
        fill_phi(phi, ldp, k + r * ldk, ldk, some, width);
        mix_steps(state, width, (left_rows){.data = phi, .row = 1, .step = ldp}, &values, width, width, true);
        for (size_t i = 0; i < some; i++)
            for (size_t a = 0; a < width; a++)
                norm[a] += phi[i * ldp + a];
    }
}

static float dot(const float *phi, const float *norm, size_t width) {
    vec sum = {0};
    size_t c = 0;
    for (; c + VL <= width; c += VL)
        sum += load(phi + c) * load(norm + c);
    if (c < width)
        sum += load(phi + c) * load_part(norm + c, width - c);
    return sum_of(sum);
}

static void read(float *y, size_t ldy, const float *q, size_t ldq, const float *state, const float *norm,
                 size_t rows, size_t width, float *phi) {
    size_t ldp = padded(width);
    const matrix all = matrix_of(state, width * sizeof *state, width);
    for (size_t r = 0, some; r < rows; r += some) {
        some = rows - r < ATTN_STATE_ROWS ? rows - r : ATTN_STATE_ROWS;
        fill_phi(phi, ldp, q + r * ldq, ldq, some, width);
        mix_steps(y + r * ldy, ldy, (left_rows){.data = phi, .row = ldp, .step = 1}, &all, width, some,
                  false);
        for (size_t i = 0; i < some; i++) {
            float factor = 1.0f / (dot(phi + i * ldp, norm, width) + ATTN_STATE_EPSILON),
                  *out = y + (r + i) * ldy;
            for (size_t c = 0; c < width; c++)
                out[c] *= factor;
        }
    }
}

const attn_state_kernels ISA_NAME(attn_state) = {.update = update, .read = read};
