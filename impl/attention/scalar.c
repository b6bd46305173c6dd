#include "impl/attention/scalar.h"

#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

#include <math.h>
#include <string.h>

void attn_scalar_append(attn_cache *cache, size_t slot, const attn_linear *w, const attn_call *call,
                        float *row) {
    size_t d_model = cache->geometry.d_model, width = cache->slot[slot].width, heads = w->out / width;
    for (size_t b = 0; b < call->batch; b++)
        for (size_t t = 0; t < call->frames; t++) {
            attn_linear_scalar(row, w->out, call->x + (b * call->frames + t) * d_model, d_model, w, 1);
            for (size_t head = 0; head < heads; head++)
                attn_cache_store(cache, slot, b, head, cache->length + t, row + head * width, width, 1);
        }
}

/* A row more than there are positions: the sinusoids of the one being projected. */
float *attn_scalar_positions_layout(attn_arena *arena, const attn_geometry *g, size_t frames, size_t keys) {
    return attn_arena_floats(arena, attn_has_rel_pos(g) ? attn_position_count(g, frames, keys) + 1 : 0,
                             g->d_model);
}

double attn_scalar_position_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                  attn_path path) {
    (void)path;
    if (!attn_has_rel_pos(g))
        return 0.0;
    return attn_linear_flops(attn_position_count(g, frames, keys), g->d_model, g->d_model) +
           2.0 * (double)(batch * frames) * (double)keys * (double)g->d_model;
}

/* Index of query i (in this call) and key j among the positions of the call, in ascending order. */
static size_t position_index(const attn_geometry *g, size_t held, size_t frames, size_t i, size_t j) {
    return g->pos_enc == ATTN_POS_REL ? held + i + frames - 1 - j : j;
}

const float *attn_scalar_positions(float *table, const attn_layer *layer, const attn_cache *cache,
                                   const attn_call *call) {
    const attn_geometry *g = &layer->geometry;
    if (!attn_has_rel_pos(g))
        return NULL;
    size_t count = attn_position_count(g, call->frames, cache->length + call->frames);
    long first = attn_first_position(g, cache, call, cache->length);
    if (g->pos_enc == ATTN_POS_REL)
        first -= (long)(cache->length + call->frames) - 1;
    attn_positions(table, first, count, g->d_model);
    for (float *row = table, *end = table + count * g->d_model; row < end; row += g->d_model) {
        memcpy(end, row, g->d_model * sizeof *row);
        attn_linear_scalar(row, g->d_model, end, g->d_model, &layer->linear_pos, 1);
    }
    return table;
}

attn_scalar_view attn_scalar_view_of(float *out, const attn_layer *layer, const attn_cache *cache,
                                     const attn_call *call, size_t b, size_t held, const float *position) {
    size_t offset = b * call->frames * layer->geometry.d_model;
    return (attn_scalar_view){.layer = layer,
                              .x = call->x + offset,
                              .out = out + offset,
                              .frames = call->frames,
                              .held = held,
                              .valid = attn_valid_keys(cache, call, b, held + call->frames),
                              .position = position};
}

static double dot(const float *a, const float *b, size_t n) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

void attn_scalar_query(float *query, float *scores, const attn_scalar_view *view, const float *q, size_t i,
                       size_t head) {
    const attn_geometry *g = &view->layer->geometry;
    size_t d_k = attn_head_dim(g), offset = head * d_k;
    const float *u = view->layer->pos_bias_u, *v = view->layer->pos_bias_v;
    for (size_t c = 0; c < d_k; c++)
        query[c] = view->position ? q[offset + c] + v[offset + c] : q[offset + c];
    for (size_t j = 0; j < view->valid; j++) {
        size_t row = position_index(g, view->held, view->frames, i, j);
        scores[j] =
            view->position ? (float)dot(query, view->position + row * g->d_model + offset, d_k) : 0.0f;
    }
    for (size_t c = 0; view->position && c < d_k; c++)
        query[c] = q[offset + c] + u[offset + c];
}

/* Row j of a kv head as floats: converted back, where its elements are of another type. */
static const float *row_of(float *row, const void *rows, const attn_scalar_keys *kv, size_t head, size_t j,
                           size_t width) {
    const char *from = (const char *)rows + head * kv->head_stride + j * kv->stride;
    if (kv->type == ATTN_ELEMENT_F32)
        return (const float *)(const void *)from;
    attn_element_load(row, from, width, kv->type);
    return row;
}

void attn_scalar_head(float *context, const float *query, const attn_scalar_keys *kv, size_t head,
                      size_t keys, size_t width, float scale, const attn_scalar_buffers *b) {
    float *scores = b->scores;
    double largest = -INFINITY, sum = 0.0;
    for (size_t j = 0; j < keys; j++) {
        const float *k = row_of(b->row, kv->k, kv, head, j, width);
        scores[j] = (float)((scores[j] + dot(query, k, width)) * scale);
        largest = scores[j] > largest ? scores[j] : largest;
    }
    memset(b->sums, 0, width * sizeof *b->sums);
    for (size_t j = 0; j < keys; j++) {
        const float *v = row_of(b->row, kv->v, kv, head, j, width);
        scores[j] = (float)exp(scores[j] - largest);
        sum += scores[j];
        for (size_t c = 0; c < width; c++)
            b->sums[c] += (double)scores[j] * v[c];
    }
    for (size_t c = 0; c < width; c++)
        context[c] = keys ? (float)(b->sums[c] / sum) : 0.0f;
}

attn_scalar_buffers attn_scalar_rows_layout(attn_arena *arena, const attn_geometry *g, size_t keys,
                                            size_t width) {
    return (attn_scalar_buffers){.q = attn_arena_floats(arena, 1, g->d_model),
                                 .context = attn_arena_floats(arena, 1, g->d_model),
                                 .query = attn_arena_floats(arena, 1, attn_head_dim(g)),
                                 .scores = attn_arena_floats(arena, 1, keys),
                                 .row = attn_arena_floats(arena, 1, width),
                                 .sums = attn_arena_take(arena, width, sizeof(double))};
}

void attn_scalar_rows(const attn_scalar_view *view, const attn_scalar_keys *kv, size_t group,
                      const attn_scalar_buffers *b) {
    const attn_layer *layer = view->layer;
    size_t d_model = layer->geometry.d_model, d_k = attn_head_dim(&layer->geometry);
    float scale = 1.0f / sqrtf((float)d_k);
    for (size_t i = 0; i < view->frames; i++) {
        attn_linear_scalar(b->q, d_model, view->x + i * d_model, d_model, &layer->q_proj, 1);
        for (size_t head = 0; head < layer->geometry.num_heads; head++) {
            attn_scalar_query(b->query, b->scores, view, b->q, i, head);
            attn_scalar_head(b->context + head * d_k, b->query, kv, head / group, view->valid, d_k, scale, b);
        }
        attn_linear_scalar(view->out + i * d_model, d_model, b->context, d_model, &layer->out_proj, 1);
    }
}
