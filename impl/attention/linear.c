/* Linear attention: Katharopoulos et al. 2020, eq. 5-7, with phi = elu + 1. The cache is a state, S = sum
 * phi(k) v^T and z = sum phi(k), whose size does not depend on L. Keys and queries are not divided by
 * sqrt(d_k): phi takes them as they are. */
#include "attn/size.h"
#include "attn/threads.h"
#include "impl/attention/parts.h"
#include "impl/attention/softmax/keys_values.h"
#include "impl/attention/softmax/softmax_fused.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"
#include "impl/kernels/state.h"

#include <math.h>
#include <string.h>

enum { STATE, NORM };
enum { ROWS = 256 }; /* frames worked on together */

static size_t cache_slots(const attn_geometry *g, attn_cache_slot slot[ATTN_CACHE_SLOTS]) {
    size_t d_k = attn_head_dim(g);
    slot[STATE] = (attn_cache_slot){.name = "state", .heads = g->num_heads, .rows = d_k, .width = d_k};
    slot[NORM] = (attn_cache_slot){.name = "norm", .rows = g->num_heads, .width = d_k};
    return 2;
}

static size_t cache_bytes(const attn_geometry *g, size_t batch, size_t keys, attn_element type) {
    (void)keys, (void)type; /* the state is in f32 */
    size_t d_k = attn_head_dim(g);
    return batch * g->num_heads * (d_k * d_k + d_k) * sizeof(float);
}

static attn_cost cost(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                      attn_element type) {
    (void)path;
    double state = 2.0 * (double)(batch * frames) * (double)g->d_model * (double)(attn_head_dim(g) + 1);
    return (attn_cost){.flops = attn_query_flops(g, batch, frames) +
                                2 * attn_linear_flops(batch * frames, g->d_model, g->d_model) + 2 * state,
                       .bytes = attn_least_bytes(&attn_variant_linear, g, batch, frames, keys, type)};
}

static float feature(float x) {
    return x > 0.0f ? x + 1.0f : expf(x);
}

/* Keys and values of the frames that are added to the state, then queries and contexts. */
typedef struct linear_buffers {
    float *first, *second; /* [rows, d_model] */
    float *phi;            /* fused: workspace of attn_state, for each thread */
    float *project;        /* after them */
} linear_buffers;

static linear_buffers scalar_layout(attn_arena *arena, const attn_geometry *g) {
    return (linear_buffers){.first = attn_arena_floats(arena, 1, g->d_model),
                            .second = attn_arena_floats(arena, 1, g->d_model)};
}

static size_t scalar_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                               attn_path path, size_t threads) {
    (void)batch, (void)frames, (void)keys, (void)path, (void)threads;
    attn_arena arena = attn_arena_dry();
    scalar_layout(&arena, g);
    return arena.peak;
}

static void scalar_update(float *state, float *norm, const float *k, const float *v, size_t d_k) {
    for (size_t a = 0; a < d_k; a++) {
        float phi = feature(k[a]);
        for (size_t c = 0; c < d_k; c++)
            state[a * d_k + c] += phi * v[c];
        norm[a] += phi;
    }
}

static void scalar_read(float *context, const float *q, const float *state, const float *norm, size_t d_k) {
    double denominator = ATTN_STATE_EPSILON;
    for (size_t a = 0; a < d_k; a++)
        denominator += (double)feature(q[a]) * norm[a];
    for (size_t c = 0; c < d_k; c++) {
        double sum = 0.0;
        for (size_t a = 0; a < d_k; a++)
            sum += (double)feature(q[a]) * state[a * d_k + c];
        context[c] = (float)(sum / denominator);
    }
}

static void scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                   void *workspace) {
    const attn_geometry *g = &layer->geometry;
    size_t d_model = g->d_model, d_k = attn_head_dim(g);
    attn_arena arena = attn_arena_wet(workspace);
    linear_buffers buffers = scalar_layout(&arena, g);
    float *first = buffers.first, *second = buffers.second;
    for (size_t b = 0; b < call->batch; b++) {
        const float *x = call->x + b * call->frames * d_model;
        float *y = out + b * call->frames * d_model, *norm = attn_cache_rows(cache, NORM, b, 0);
        size_t valid = attn_valid_frames(cache, call, b, cache->length);
        bool any = attn_valid_keys(cache, call, b, cache->length + call->frames) > 0;
        for (size_t t = 0; t < valid; t++) {
            attn_linear_scalar(first, d_model, x + t * d_model, d_model, &layer->k_proj, 1);
            attn_linear_scalar(second, d_model, x + t * d_model, d_model, &layer->v_proj, 1);
            for (size_t head = 0; head < g->num_heads; head++)
                scalar_update(attn_cache_rows(cache, STATE, b, head), norm + head * d_k, first + head * d_k,
                              second + head * d_k, d_k);
        }
        for (size_t t = 0; t < call->frames; t++) {
            attn_linear_scalar(first, d_model, x + t * d_model, d_model, &layer->q_proj, 1);
            memset(second, 0, d_model * sizeof(float)); /* no key, no context: whatever the query holds */
            for (size_t head = 0; any && head < g->num_heads; head++)
                scalar_read(second + head * d_k, first + head * d_k, attn_cache_rows(cache, STATE, b, head),
                            norm + head * d_k, d_k);
            attn_linear_scalar(y + t * d_model, d_model, second, d_model, &layer->out_proj, 1);
        }
    }
    cache->length += call->frames;
}

static linear_buffers fast_layout(attn_arena *arena, const attn_geometry *g, size_t batch, size_t frames,
                                  size_t threads) {
    linear_buffers b;
    size_t mark = attn_arena_mark(arena);
    b.first = attn_arena_floats(arena, attn_smaller(frames, ROWS), g->d_model);
    b.second = attn_arena_floats(arena, attn_smaller(frames, ROWS), g->d_model);
    b.phi = attn_arena_floats(arena, threads, attn_state_floats(attn_head_dim(g)));
    attn_arena_release(arena, mark);
    b.project = attn_blas_project_layout(arena, g, attn_times(batch, frames));
    return b;
}

static size_t fast_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                             size_t threads) {
    (void)keys, (void)path;
    attn_arena arena = attn_arena_dry();
    fast_layout(&arena, g, batch, frames, threads);
    return arena.peak;
}

static void blas_update(float *state, float *norm, float *k, const float *v, size_t rows, size_t d_k,
                        size_t d_model) {
    for (size_t r = 0; r < rows; r++) {
        float *phi = k + r * d_model;
        attn_rows()->elu_plus_one(phi, d_k);
        for (size_t a = 0; a < d_k; a++)
            norm[a] += phi[a];
    }
    attn_gemm_tn(d_k, d_k, rows, 1.0f, k, d_model, v, d_model, 1.0f, state, d_k);
}

static void blas_read(float *context, float *q, const float *state, const float *norm, size_t rows,
                      size_t d_k, size_t d_model) {
    for (size_t r = 0; r < rows; r++)
        attn_rows()->elu_plus_one(q + r * d_model, d_k);
    attn_gemm_nn(rows, d_k, d_k, 1.0f, q, d_model, state, d_k, 0.0f, context, d_model);
    for (size_t r = 0; r < rows; r++) {
        float denominator = ATTN_STATE_EPSILON;
        for (size_t a = 0; a < d_k; a++)
            denominator += q[r * d_model + a] * norm[a];
        attn_rows()->scale(context + r * d_model, d_k, 1.0f / denominator);
    }
}

/* Some frames of an utterance, of which a part has some of the heads. */
typedef struct some_frames {
    const attn_cache *cache;
    size_t b, rows;
    float *first, *second; /* their keys and values, or their queries */
    float *contexts;
    float *phi;
    const attn_way *way;
} some_frames;

static void update_heads(void *context, size_t part, size_t parts) {
    const some_frames *s = context;
    size_t d_k = attn_head_dim(&s->cache->geometry), d_model = s->cache->geometry.d_model;
    float *norms = attn_cache_rows(s->cache, NORM, s->b, 0), *phi = s->phi + part * attn_state_floats(d_k);
    attn_range heads = attn_part_range(s->cache->geometry.num_heads, 1, part, parts);
    for (size_t head = heads.begin; head < heads.end; head++) {
        float *state = attn_cache_rows(s->cache, STATE, s->b, head), *norm = norms + head * d_k;
        float *k = s->first + head * d_k, *v = s->second + head * d_k;
        if (s->way->fused)
            attn_state()->update(state, norm, k, d_model, v, d_model, s->rows, d_k, phi);
        else
            blas_update(state, norm, k, v, s->rows, d_k, d_model);
    }
}

static void read_heads(void *context, size_t part, size_t parts) {
    const some_frames *s = context;
    size_t d_k = attn_head_dim(&s->cache->geometry), d_model = s->cache->geometry.d_model;
    float *norms = attn_cache_rows(s->cache, NORM, s->b, 0), *phi = s->phi + part * attn_state_floats(d_k);
    attn_range heads = attn_part_range(s->cache->geometry.num_heads, 1, part, parts);
    for (size_t head = heads.begin; head < heads.end; head++) {
        const float *state = attn_cache_rows(s->cache, STATE, s->b, head), *norm = norms + head * d_k;
        float *q = s->first + head * d_k, *y = s->contexts + head * d_k;
        if (s->way->fused)
            attn_state()->read(y, d_model, q, d_model, state, norm, s->rows, d_k, phi);
        else
            blas_read(y, q, state, norm, s->rows, d_k, d_model);
    }
}

static void fast_utterance(float *y, const float *x, const attn_layer *layer, const attn_cache *cache,
                           size_t b, size_t frames, size_t valid, const linear_buffers *buffers,
                           const attn_way *way) {
    size_t d_model = layer->geometry.d_model;
    float *first = buffers->first, *second = buffers->second;
    some_frames some = {
        .cache = cache, .b = b, .first = first, .second = second, .phi = buffers->phi, .way = way};
    for (size_t t = 0; t < valid; t += ROWS) {
        some.rows = valid - t < ROWS ? valid - t : ROWS;
        attn_mark_inner(ATTN_INNER_PROJECTIONS);
        way->products.linear(first, d_model, x + t * d_model, d_model, &layer->k_proj, some.rows);
        way->products.linear(second, d_model, x + t * d_model, d_model, &layer->v_proj, some.rows);
        attn_mark_inner(ATTN_INNER_CORE);
        attn_share(update_heads, &some);
    }
    for (size_t t = 0; t < frames; t += ROWS) {
        some.rows = frames - t < ROWS ? frames - t : ROWS;
        some.contexts = y + t * d_model;
        attn_mark_inner(ATTN_INNER_PROJECTIONS);
        way->products.linear(first, d_model, x + t * d_model, d_model, &layer->q_proj, some.rows);
        attn_mark_inner(ATTN_INNER_CORE);
        attn_share(read_heads, &some);
    }
}

static void fast(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                 void *workspace, const attn_way *way) {
    attn_arena arena = attn_arena_wet(workspace);
    linear_buffers buffers =
        fast_layout(&arena, &layer->geometry, call->batch, call->frames, attn_threads_in_use());
    size_t size = call->frames * layer->geometry.d_model;
    for (size_t b = 0; b < call->batch; b++)
        if (attn_valid_keys(cache, call, b, cache->length + call->frames))
            fast_utterance(out + b * size, call->x + b * size, layer, cache, b, call->frames,
                           attn_valid_frames(cache, call, b, cache->length), &buffers, way);
        else
            memset(out + b * size, 0, size * sizeof(float)); /* no key, no context: whatever queries hold */
    attn_blas_project(out, layer, call->batch * call->frames, buffers.project, way->products.linear);
    cache->length += call->frames;
}

static void blas(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                 void *workspace) {
    fast(out, layer, cache, call, workspace, &attn_way_blas);
}

static void fused(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                  void *workspace) {
    fast(out, layer, cache, call, workspace, &attn_way_fused);
}

const attn_variant attn_variant_linear = {
    .name = "linear",
    .summary = "linear attention: a state of fixed size instead of a cache",
    .tensors = attn_kv_tensors,
    .cache_slots = cache_slots,
    .cache_bytes = cache_bytes,
    .cost = cost,
    .impls = {{"scalar", scalar_workspace, scalar},
              {"blas", fast_workspace, blas},
              {"fused", fast_workspace, fused, .shares = true, .packs = true}}};
