/* cgMLP with its pre-norm (Peng et al. 2022, section 3.3):
 *
 *   W_2 (r * conv(LayerNorm(g))), [r | g] = gelu(W_1 LayerNorm(x))
 *
 * The convolution sees zeros outside the call or, when causal, the gates g of the calls before (zeros before
 * the LayerNorm where the stream begins). Gates are computed for the whole utterance first, then r tile by
 * tile. */
#include "impl/encoder/encoder.h"
#include "impl/kernels/kernels.h"

#include <string.h>

typedef struct cgmlp_buffers {
    float *gates;                /* [left + frames + right, half]: what the depthwise convolution sees */
    float *normed, *kept, *gate; /* [tile, d_model], [tile, half], [tile, half] */
} cgmlp_buffers;

static cgmlp_buffers layout(attn_arena *arena, const attn_encoder_call *call) {
    const attn_config *config = call->config;
    size_t rows = call->frames + config->conv_kernel_size - 1;
    size_t tile = attn_smaller(call->frames, ATTN_TILE_ROWS), half = config->cgmlp_units / 2;
    return (cgmlp_buffers){.gates = attn_arena_floats(arena, rows, half),
                           .normed = attn_arena_floats(arena, tile, config->attention.d_model),
                           .kept = attn_arena_floats(arena, tile, half),
                           .gate = attn_arena_floats(arena, tile, half)};
}

size_t attn_cgmlp_peak(const attn_encoder_call *call, attn_arena arena) {
    layout(&arena, call);
    return arena.peak;
}

/* What comes before the first frame of the call. */
static void gate_left(const attn_cgmlp *w, const float *cache, const cgmlp_buffers *b,
                      const attn_encoder_call *call) {
    size_t half = w->norm.width, left = attn_left_context(call->config);
    if (call->config->causal && cache) {
        call->ops->layer_norm(b->gates, cache, &w->norm, left, call->config->layer_norm_eps);
        return;
    }
    memset(b->gates, 0, left * half * sizeof(float));
    for (size_t r = 0; call->config->causal && r < left; r++) /* the LayerNorm of zeros is its bias */
        memcpy(b->gates + r * half, w->norm.bias, half * sizeof(float));
}

/* One half of gelu(W_1 LayerNorm(x)), into y. */
static void project_half(float *y, const float *x, size_t rows, size_t which, const attn_cgmlp *w,
                         const cgmlp_buffers *b, const attn_encoder_call *call) {
    size_t half = w->norm.width, d_model = w->channel_proj1.in;
    attn_linear part = attn_linear_rows(&w->channel_proj1, which * half, half);
    attn_mark_part(call, ATTN_PART_FEED_FORWARD);
    call->ops->layer_norm(b->normed, x, &w->pre_norm, rows, call->config->layer_norm_eps);
    call->ops->linear(y, half, b->normed, d_model, &part, rows);
    call->ops->gelu(y, rows * half);
    attn_mark_part(call, ATTN_PART_CONVOLUTION);
}

static void gate_frames(const float *x, size_t frames, const attn_cgmlp *w, float *cache,
                        const cgmlp_buffers *b, const attn_encoder_call *call) {
    size_t half = w->norm.width, d_model = w->channel_proj1.in, left = attn_left_context(call->config);
    float *gates = b->gates + left * half;
    gate_left(w, cache, b, call);
    for (size_t t = 0; t < frames; t += ATTN_TILE_ROWS) {
        size_t count = attn_smaller(ATTN_TILE_ROWS, frames - t);
        project_half(b->gate, x + t * d_model, count, 1, w, b, call);
        if (cache)
            attn_conv_cache_push(cache, left, half, b->gate, count);
        call->ops->layer_norm(gates + t * half, b->gate, &w->norm, count, call->config->layer_norm_eps);
    }
    memset(gates + frames * half, 0, attn_right_context(call->config) * half * sizeof(float));
}

static void gated_frames(float *y, const float *x, size_t frames, const attn_cgmlp *w, const float *taps,
                         const cgmlp_buffers *b, const attn_encoder_call *call) {
    const attn_encoder_ops *ops = call->ops;
    size_t half = w->norm.width, d_model = w->channel_proj1.in;
    for (size_t t = 0; t < frames; t += ATTN_TILE_ROWS) {
        size_t count = attn_smaller(ATTN_TILE_ROWS, frames - t);
        float *gate = b->gate, *product = b->kept;
        project_half(b->kept, x + t * d_model, count, 0, w, b, call);
        ops->depthwise(b->gate, b->gates + t * half, &w->conv, count, taps);
        if (w->has_linear) { /* the convolved rows are not needed again, so their place serves */
            gate = b->gates + t * half;
            ops->linear(gate, half, b->gate, half, &w->linear, count);
        }
        ops->multiply(product, gate, count * half);
        attn_mark_part(call, ATTN_PART_FEED_FORWARD);
        ops->linear(y + t * d_model, d_model, product, half, &w->channel_proj2, count);
    }
}

void attn_cgmlp_forward(float *y, const float *x, const attn_cgmlp *w, const attn_block_state *state,
                        const attn_encoder_call *call, attn_arena arena) {
    const attn_config *config = call->config;
    size_t d_model = config->attention.d_model, half = w->norm.width, left = attn_left_context(config);
    float *cache = state->conv;
    cgmlp_buffers b = layout(&arena, call);
    for (size_t u = 0; u < call->batch; u++) {
        size_t at = u * call->frames * d_model, frames = call->valid[u];
        gate_frames(x + at, frames, w, cache ? cache + u * left * half : NULL, &b, call);
        gated_frames(y + at, x + at, frames, w, state->packed->taps, &b, call);
        memset(y + at + frames * d_model, 0, (call->frames - frames) * d_model * sizeof(float));
    }
}
