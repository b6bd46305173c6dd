/* The plain reference of attend.h. */
#include "impl/kernels/plain.h"

#include "attn/size.h"

#include <math.h>
#include <string.h>

enum { COLUMNS = 16 }; /* of a context, summed together: then values are read by the line */

static double dot(const float *a, const float *b, size_t n) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Every row of the cache as floats. */
static void load_rows(float *out, const void *rows, size_t stride, size_t count, size_t width,
                      attn_element type) {
    for (size_t j = 0; j < count; j++)
        attn_element_load(out + j * width, (const char *)rows + j * stride, width, type);
}

/* `count` columns of the context. */
static void mix_columns(float *out, const float *weight, const float *v, const attn_attend_call *call,
                        size_t count, double sum) {
    double mixed[COLUMNS] = {0};
    for (size_t j = 0; j < call->keys; j++)
        for (size_t c = 0; c < count; c++)
            mixed[c] += (double)weight[j] * v[j * call->v_width + c];
    for (size_t c = 0; c < count; c++)
        out[c] = call->keys ? (float)(mixed[c] / sum) : 0.0f;
}

static void attend_row(float *out, const float *q, const float *position, const float *k, const float *v,
                       const attn_attend_call *call, float *score) {
    double largest = -INFINITY, sum = 0.0;
    for (size_t j = 0; j < call->keys; j++) {
        double s = dot(q, k + j * call->k_width, call->k_width) + (position ? position[j] : 0.0f);
        score[j] = (float)(s * call->scale);
        largest = score[j] > largest ? score[j] : largest;
    }
    for (size_t j = 0; j < call->keys; j++) {
        score[j] = (float)exp(score[j] - largest);
        sum += score[j];
    }
    for (size_t c = 0; c < call->v_width; c += COLUMNS)
        mix_columns(out + c, score, v + c, call, attn_smaller(COLUMNS, call->v_width - c), sum);
}

size_t attn_attend_plain_floats(size_t keys, size_t k_width, size_t v_width) {
    return keys * (k_width + v_width + 1);
}

void attn_plain_attend(const attn_attend_call *call, float *workspace) {
    float *k = workspace, *v = k + call->keys * call->k_width, *score = v + call->keys * call->v_width;
    load_rows(k, call->k, call->k_stride, call->keys, call->k_width, call->type);
    load_rows(v, call->v, call->v_stride, call->keys, call->v_width, call->type);
    for (size_t head = 0; head < call->heads; head++)
        for (size_t i = 0; i < call->queries; i++) {
            const float *position = call->position;
            if (position)
                position += head * call->position_strides.head + i * call->position_strides.query;
            attend_row(call->out + head * call->out_strides.head + i * call->out_strides.query,
                       call->q + head * call->q_strides.head + i * call->q_strides.query, position, k, v,
                       call, score);
        }
}

void attn_plain_attend_positions(const attn_attend_call *call, float *workspace) {
    attn_plain_attend(call, workspace);
}

void attn_plain_attend_latent(const attn_attend_call *call, float *workspace) {
    attn_plain_attend(call, workspace);
}

void attn_plain_attend_shared(const attn_attend_heads *heads, float *workspace) {
    for (size_t i = 0; i < heads->count; i++) {
        attn_attend_call call = heads->call;
        call.out += i * heads->out;
        call.q += i * heads->q;
        if (call.position)
            call.position += i * heads->position;
        call.k = (const char *)call.k + i * heads->k;
        call.v = (const char *)call.v + i * heads->v;
        attn_plain_attend(&call, workspace);
    }
}
