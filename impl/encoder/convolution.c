/* Convolution module with its pre-norm (Gulati et al. 2020, section 2.2):
 *
 *   W_2 swish(norm(depthwise(GLU(W_1 LayerNorm(x)))))
 *
 * Without `causal` the depthwise convolution sees zeros before the first and after the last frame of the
 * call. With it, the module's input (after the LayerNorm) has kernel - 1 frames before the first: zeros where
 * the stream begins, then those of the calls before. GLU(W_1 x) of these is kept too. */
#include "impl/encoder/encoder.h"

#include <string.h>

typedef struct conv_buffers {
    float *gated;         /* [left + frames + right, d_model]: what the depthwise convolution sees */
    float *normed, *wide; /* [tile, d_model], [tile, 2 d_model] */
} conv_buffers;

static conv_buffers layout(attn_arena *arena, const attn_encoder_call *call) {
    size_t d_model = call->config->attention.d_model;
    size_t rows = call->frames + call->config->conv_kernel_size - 1,
           tile = attn_smaller(rows, ATTN_TILE_ROWS);
    return (conv_buffers){.gated = attn_arena_floats(arena, rows, d_model),
                          .normed = attn_arena_floats(arena, tile, d_model),
                          .wide = attn_arena_floats(arena, tile, 2 * d_model)};
}

size_t attn_convolution_peak(const attn_encoder_call *call, attn_arena arena) {
    layout(&arena, call);
    return arena.peak;
}

/* GLU(W_1 x) of rows of the module's input. */
static void gate_rows(float *gated, const float *rows, size_t count, const attn_convolution *w,
                      const conv_buffers *b, const attn_encoder_ops *ops) {
    size_t d_model = w->pointwise_conv1.in;
    for (size_t r = 0; r < count; r += ATTN_TILE_ROWS) {
        size_t some = attn_smaller(ATTN_TILE_ROWS, count - r);
        ops->linear(b->wide, 2 * d_model, rows + r * d_model, d_model, &w->pointwise_conv1, some);
        ops->glu(gated + r * d_model, b->wide, some, d_model);
    }
}

/* Of an input of zeros W_1 leaves its bias. */
void attn_convolution_gate_zeros(float *gates, size_t rows, const attn_convolution *w,
                                 const attn_encoder_ops *ops) {
    size_t d_model = w->pointwise_conv1.in;
    if (rows)
        ops->glu(gates, w->pointwise_conv1.bias, 1, d_model);
    for (size_t r = 1; r < rows; r++)
        memcpy(gates + r * d_model, gates, d_model * sizeof(float));
}

/* What comes before the first frame of the call. */
static void gate_left(const attn_convolution *w, const float *gates, const conv_buffers *b,
                      const attn_encoder_call *call) {
    size_t d_model = w->pointwise_conv1.in, left = attn_left_context(call->config);
    if (!call->config->causal)
        memset(b->gated, 0, left * d_model * sizeof(float));
    else if (gates)
        memcpy(b->gated, gates, left * d_model * sizeof(float));
    else
        attn_convolution_gate_zeros(b->gated, left, w, call->ops);
}

static void gate_frames(const float *x, size_t frames, const attn_convolution *w, float *cache, float *gates,
                        const conv_buffers *b, const attn_encoder_call *call) {
    size_t d_model = w->pointwise_conv1.in, left = attn_left_context(call->config);
    float *gated = b->gated + left * d_model;
    gate_left(w, gates, b, call);
    for (size_t t = 0; t < frames; t += ATTN_TILE_ROWS) {
        size_t count = attn_smaller(ATTN_TILE_ROWS, frames - t);
        call->ops->layer_norm(b->normed, x + t * d_model, &w->pre_norm, count, call->config->layer_norm_eps);
        gate_rows(gated + t * d_model, b->normed, count, w, b, call->ops);
        if (cache) {
            attn_conv_cache_push(cache, left, d_model, b->normed, count);
            attn_conv_cache_push(gates, left, d_model, gated + t * d_model, count);
        }
    }
    memset(gated + frames * d_model, 0, attn_right_context(call->config) * d_model * sizeof(float));
}

static void apply_norm(float *y, size_t rows, const attn_norm *norm, const attn_packed_block *packed,
                       const attn_encoder_call *call) {
    size_t width = norm->width;
    if (call->config->conv_norm == ATTN_NORM_LAYER) {
        call->ops->layer_norm(y, y, norm, rows, call->config->layer_norm_eps);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++)
            y[r * width + c] = y[r * width + c] * packed->scale[c] + packed->shift[c];
}

static void convolve_frames(float *x, size_t frames, const attn_convolution *w,
                            const attn_packed_block *packed, const conv_buffers *b,
                            const attn_encoder_call *call) {
    const attn_encoder_ops *ops = call->ops;
    size_t d_model = w->pointwise_conv1.in;
    for (size_t t = 0; t < frames; t += ATTN_TILE_ROWS) {
        size_t count = attn_smaller(ATTN_TILE_ROWS, frames - t);
        ops->depthwise(b->normed, b->gated + t * d_model, &w->depthwise_conv, count, packed->taps);
        apply_norm(b->normed, count, &w->norm, packed, call);
        ops->swish(b->normed, count * d_model);
        ops->linear(b->wide, d_model, b->normed, d_model, &w->pointwise_conv2, count);
        ops->add_scaled(x + t * d_model, b->wide, count * d_model, 1.0f);
    }
}

void attn_convolution_add(float *x, const attn_convolution *w, const attn_block_state *state,
                          const attn_encoder_call *call, attn_arena arena) {
    const attn_config *config = call->config;
    size_t d_model = config->attention.d_model, left = attn_left_context(config);
    conv_buffers b = layout(&arena, call);
    attn_mark_part(call, ATTN_PART_CONVOLUTION);
    for (size_t u = 0; u < call->batch; u++) {
        float *utterance = x + u * call->frames * d_model;
        size_t at = u * left * d_model;
        gate_frames(utterance, call->valid[u], w, state->conv ? state->conv + at : NULL,
                    state->gates ? state->gates + at : NULL, &b, call);
        convolve_frames(utterance, call->valid[u], w, state->packed, &b, call);
    }
}

size_t attn_conv_cache_width(const attn_config *config) {
    return config->model_type == ATTN_MODEL_BRANCHFORMER ? config->cgmlp_units / 2
                                                         : config->attention.d_model;
}

void attn_conv_cache_push(float *cache, size_t kept, size_t width, const float *rows, size_t count) {
    if (count < kept) {
        memmove(cache, cache + count * width, (kept - count) * width * sizeof(float));
        memcpy(cache + (kept - count) * width, rows, count * width * sizeof(float));
    } else if (kept) {
        memcpy(cache, rows + (count - kept) * width, kept * width * sizeof(float));
    }
}
