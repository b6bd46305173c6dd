/* Merging the two branches (Peng et al. 2022, section 3.4): W [x1; x2], or W (w1 x1 + w2 x2) with fixed
 * weights or with weights learned from what attention pooling makes of each branch. In a stream the pooling
 * covers the frames of the call. */
#include "impl/encoder/encoder.h"

#include <math.h>
#include <string.h>

typedef struct merge_buffers {
    float *merged, *projected; /* [tile, 2 d_model], [tile, d_model] */
    float *scores, *mean;      /* of pooling: [frames], [d_model] */
} merge_buffers;

static merge_buffers layout(attn_arena *arena, const attn_encoder_call *call) {
    size_t d_model = call->config->attention.d_model, tile = attn_smaller(call->frames, ATTN_TILE_ROWS);
    return (merge_buffers){.merged = attn_arena_floats(arena, tile, 2 * d_model),
                           .projected = attn_arena_floats(arena, tile, d_model),
                           .scores = attn_arena_floats(arena, call->frames, 1),
                           .mean = attn_arena_floats(arena, 1, d_model)};
}

size_t attn_merge_peak(const attn_encoder_call *call, attn_arena arena) {
    layout(&arena, call);
    return arena.peak;
}

/* The weight of a branch before the softmax over branches: weight_proj of the frames' mean, weighted by
 * softmax(pooling_proj(x) / sqrt(d_model)). No frames: a mean of zero. */
static double branch_weight(const float *x, size_t frames, const attn_linear *pooling,
                            const attn_linear *weight, const attn_encoder_call *call,
                            const merge_buffers *b) {
    size_t d_model = pooling->in;
    float *scores = b->scores, *mean = b->mean, largest = -INFINITY;
    double sum = 0.0;
    call->ops->linear(scores, 1, x, d_model, pooling, frames);
    for (size_t t = 0; t < frames; t++)
        largest = scores[t] > largest ? scores[t] : largest;
    for (size_t t = 0; t < frames; t++) {
        scores[t] = expf((scores[t] - largest) / sqrtf((float)d_model));
        sum += scores[t];
    }
    memset(mean, 0, d_model * sizeof(float));
    for (size_t t = 0; t < frames; t++)
        call->ops->add_scaled(mean, x + t * d_model, d_model, (float)(scores[t] / sum));
    float logit;
    call->ops->linear(&logit, 1, mean, d_model, weight, 1);
    return logit;
}

/* weights[0] of attention and weights[1] of cgMLP for one utterance. */
static void average_weights(float weights[2], const float *x1, const float *x2, size_t frames,
                            const attn_merger *w, const attn_encoder_call *call, const merge_buffers *b) {
    if (call->config->merge_method == ATTN_MERGE_FIXED_AVE) {
        weights[0] = (float)(1.0 - call->config->cgmlp_weight);
        weights[1] = (float)call->config->cgmlp_weight;
        return;
    }
    double one = branch_weight(x1, frames, &w->pooling_proj[0], &w->weight_proj[0], call, b);
    double two = branch_weight(x2, frames, &w->pooling_proj[1], &w->weight_proj[1], call, b);
    weights[0] = (float)(1.0 / (1.0 + exp(two - one)));
    weights[1] = (float)(1.0 / (1.0 + exp(one - two)));
}

static void concatenate(float *merged, const float *x1, const float *x2, size_t rows, size_t d_model) {
    for (size_t r = 0; r < rows; r++) {
        memcpy(merged + 2 * r * d_model, x1 + r * d_model, d_model * sizeof(float));
        memcpy(merged + (2 * r + 1) * d_model, x2 + r * d_model, d_model * sizeof(float));
    }
}

static void average(float *merged, const float *x1, const float *x2, size_t count, const float weights[2],
                    const attn_encoder_call *call) {
    memset(merged, 0, count * sizeof(float));
    if (attn_uses_attention(call->config))
        call->ops->add_scaled(merged, x1, count, weights[0]);
    if (attn_uses_cgmlp(call->config))
        call->ops->add_scaled(merged, x2, count, weights[1]);
}

static void merge_utterance(float *x, const float *x1, const float *x2, size_t frames, const attn_merger *w,
                            const attn_encoder_call *call, const merge_buffers *b) {
    bool concat = call->config->merge_method == ATTN_MERGE_CONCAT;
    size_t d_model = call->config->attention.d_model;
    float weights[2];
    if (!concat)
        average_weights(weights, x1, x2, frames, w, call, b);
    for (size_t t = 0; t < frames; t += ATTN_TILE_ROWS) {
        size_t count = attn_smaller(ATTN_TILE_ROWS, frames - t), at = t * d_model;
        if (concat)
            concatenate(b->merged, x1 + at, x2 + at, count, d_model);
        else
            average(b->merged, x1 + at, x2 + at, count * d_model, weights, call);
        call->ops->linear(b->projected, d_model, b->merged, w->merge_proj.in, &w->merge_proj, count);
        call->ops->add_scaled(x + at, b->projected, count * d_model, 1.0f);
    }
}

void attn_merge_add(float *x, const float *x1, const float *x2, const attn_merger *w,
                    const attn_encoder_call *call, attn_arena arena) {
    merge_buffers b = layout(&arena, call);
    size_t row = call->frames * call->config->attention.d_model;
    attn_mark_part(call, ATTN_PART_OTHER);
    for (size_t u = 0; u < call->batch; u++)
        merge_utterance(x + u * row, x1 + u * row, x2 + u * row, call->valid[u], w, call, &b);
}
