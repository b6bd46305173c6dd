/* Cases with part:core: fused attention alone, from projected queries (of mla*, folded ones) and a filled cache to
 * contexts (of mla*, mixed latents), without projections and without appending. */
#include "bench/kind.h"
#include "bench/kinds/attention_reference.h"
#include "bench/kinds/models.h"
#include "bench/peers/tensors.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/cpu.h"
#include "attn/memory.h"
#include "attn/random.h"
#include "attn/size.h"
#include "impl/kernels/attend_shared.h"
#include "impl/kernels/plain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4 /* of the largest magnitude in the reference */
#define AMPLITUDE 4.0f /* of queries: scores then spread enough for softmax to prefer some keys */
enum { MOST_SAMPLES = 16 };

typedef struct core_state {
    bench_case row;
    double check_flops;
    uint64_t seed;
    attn_threads *threads;
    attn_cache cache; /* L frames of random rows */
    float *queries;   /* [B, q, h, width] */
    float *contexts;  /* the same */
    float *workspace; /* of attn_attend_shared */
    size_t width;     /* d_k, or d_c of latents */
    size_t kv_heads;  /* of the cache: 1 of latents */
    bool plain;       /* impl:scalar */
    bool answered;    /* contexts are a peer's */
} core_state;

static void release(void *state) {
    core_state *s = state;
    attn_cache_free(&s->cache);
    attn_free(s->queries);
    attn_free(s->contexts);
    attn_free(s->workspace);
    attn_free(s);
}

static int core_supported(const bench_case *c, attn_error *error) {
    if (!c->variant->is_softmax)
        return attn_fail(error, "part: %s attention has no core apart from its layer", c->variant->name);
    if (c->path == ATTN_PATH_EXPAND)
        return attn_fail(
            error, "part: a core has no projections, and expanding latents is one (path:absorb has a core)");
    if (attn_has_rel_pos(&c->geometry))
        return attn_fail(error, "part: the core is without positions, and pos is %s",
                         attn_pos_enc_names[c->geometry.pos_enc]);
    if (!strcmp(c->impl->name, "blas"))
        return attn_fail(error, "part: implementation blas has no core apart from its layer");
    return models_supported(c, error);
}

static double row_flops(const core_state *s) { /* of one query, all heads */
    return 4.0 * (double)s->row.keys * (double)s->row.geometry.num_heads * (double)s->width;
}

static size_t floats_of(const core_state *s) {
    return s->row.batch * s->row.queries * s->row.geometry.num_heads * s->width;
}

static void fill_cache(core_state *s, float *rows, uint64_t *random) {
    enum { SOME = 64 };
    for (size_t slot = 0; slot < s->cache.slots; slot++)
        for (size_t b = 0; b < s->row.batch; b++)
            for (size_t head = 0; head < s->kv_heads; head++)
                for (size_t j = 0; j < s->row.keys; j += SOME) {
                    size_t count = attn_smaller(SOME, s->row.keys - j);
                    attn_random_uniform(rows, count * s->width, 1.0f, random);
                    attn_cache_store(&s->cache, slot, b, head, j, rows, s->width, count);
                }
    s->cache.length = s->row.keys;
}

static int allocate(core_state *s, attn_error *error) {
    const bench_case *c = &s->row;
    enum { SOME = 64 };
    uint64_t random = s->seed;
    size_t work = attn_larger(attn_attend_shared_floats(s->width, s->width, attn_threads_count(s->threads)),
                              attn_attend_plain_floats(c->keys, s->width, s->width));
    double bytes = (double)c->variant->cache_bytes(&c->geometry, c->batch, c->keys, (attn_element)c->kv) +
                   sizeof(float) * (2.0 * (double)floats_of(s) + (double)work);
    if (attn_memory_check(bytes, c->name, error) ||
        attn_cache_init(&s->cache, c->variant, &c->geometry, c->batch, c->keys, (attn_element)c->kv, error))
        return -1;
    s->kv_heads = attention_slot_heads(&s->cache, 0);
    s->queries = attn_alloc(floats_of(s), sizeof(float), "queries", error);
    s->contexts = attn_alloc(floats_of(s), sizeof(float), "contexts", error);
    s->workspace = attn_alloc(work, sizeof(float), "workspace", error);
    float *rows = attn_alloc(SOME * s->width, sizeof(float), "rows", error);
    bool all = s->queries && s->contexts && s->workspace && rows;
    if (all) {
        attn_random_uniform(s->queries, floats_of(s), AMPLITUDE, &random);
        fill_cache(s, rows, &random);
    }
    attn_free(rows);
    return all ? 0 : -1;
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    const attn_geometry *g = &c->geometry;
    if (core_supported(c, error))
        return BENCH_UNSUPPORTED;
    core_state *s = attn_alloc(1, sizeof *s, "set-up of a case", error);
    if (!s)
        return -1;
    *s = (core_state){.row = *c,
                      .check_flops = settings->check_flops,
                      .seed = settings->seed,
                      .threads = settings->threads,
                      .plain = !strcmp(c->impl->name, "scalar")};
    s->width = c->variant->has_latent ? g->latent_dim : attn_head_dim(g);
    if (allocate(s, error)) {
        release(s);
        return -1;
    }
    *state = s;
    return 0;
}

/* `count` queries of an utterance from the given one on, all heads, one call a head of the cache. */
static attn_attend_heads heads_of(const core_state *s, size_t b, size_t first, size_t count, float *out) {
    const attn_geometry *g = &s->row.geometry;
    size_t sharing = g->num_heads / s->kv_heads, width = s->width, row = g->num_heads * width;
    size_t bytes = attn_cache_row_bytes(&s->cache, 0),
           value = s->cache.slots - 1; /* latents are keys and values */
    return (attn_attend_heads){.call = {.out = out,
                                        .out_strides = {.query = row, .head = width},
                                        .q = s->queries + (b * s->row.queries + first) * row,
                                        .q_strides = {.query = row, .head = width},
                                        .queries = count,
                                        .heads = sharing,
                                        .k = attn_cache_rows(&s->cache, 0, b, 0),
                                        .v = attn_cache_rows(&s->cache, value, b, 0),
                                        .k_stride = bytes,
                                        .v_stride = bytes,
                                        .keys = s->row.keys,
                                        .k_width = width,
                                        .v_width = width,
                                        .type = s->cache.type,
                                        .scale = 1.0f / sqrtf((float)attn_head_dim(g))},
                               .count = s->kv_heads,
                               .out = sharing * width,
                               .q = sharing * width,
                               .k = s->cache.capacity * bytes,
                               .v = s->cache.capacity * bytes};
}

static void run(void *state) {
    core_state *s = state;
    attn_isa limit = attn_cpu_limit((attn_isa)s->row.isa);
    attn_threads *before = attn_threads_use(s->threads);
    size_t utterance = s->row.queries * s->row.geometry.num_heads * s->width;
    for (size_t b = 0; b < s->row.batch; b++) {
        attn_attend_heads heads = heads_of(s, b, 0, s->row.queries, s->contexts + b * utterance);
        (s->plain ? attn_plain_attend_shared : attn_attend_shared)(&heads, s->workspace);
    }
    attn_threads_use(before);
    attn_cpu_limit(limit);
}

/* Adds the comparison of one query with the plain reference. */
static void compare_query(core_state *s, bench_check *result, size_t b, size_t query, float *expected) {
    size_t row = s->row.geometry.num_heads * s->width;
    attn_attend_heads heads = heads_of(s, b, query, 1, expected);
    attn_plain_attend_shared(&heads, s->workspace);
    double limit = TOLERANCE * attn_compare(expected, expected, row, 0.0, 0.0).max_b;
    attn_difference d =
        attn_compare(s->contexts + (b * s->row.queries + query) * row, expected, row, limit, 0.0);
    result->rows++;
    if (!result->limit || !d.ok || d.max_abs / limit > result->max_error / result->limit) {
        result->max_error = d.max_abs;
        result->limit = limit;
    }
    if (d.ok || !result->ok)
        return;
    result->ok = false;
    snprintf(result->what, sizeof result->what,
             "contexts differ from the plain reference by %g, expected at most %g (query %zu)", d.max_abs,
             limit, query);
}

/* One query from each of equal stretches, as many as the reference can afford. */
static int check(void *state, bench_check *result, attn_error *error) {
    core_state *s = state;
    uint64_t random = s->seed + 3;
    size_t q = s->row.queries, most = attn_smaller(q, MOST_SAMPLES);
    double all = row_flops(s) * (double)(most * s->row.batch);
    size_t samples = all > s->check_flops ? (size_t)fmax(1.0, (double)most * s->check_flops / all) : most;
    float *expected =
        attn_alloc(s->row.geometry.num_heads * s->width, sizeof *expected, "expected contexts", error);
    if (!expected)
        return -1;
    if (!s->answered)
        run(s);
    *result = (bench_check){.ok = true};
    for (size_t b = 0; b < s->row.batch; b++)
        for (size_t i = 0; i < samples; i++) {
            size_t from = i * q / samples, to = (i + 1) * q / samples;
            compare_query(s, result, b, from + attn_random_below(&random, to - from), expected);
        }
    attn_free(expected);
    return 0;
}

static void rewind_nothing(void *state) {
    (void)state;
}

static int hand_over(void *state, peer_tensors *to, attn_error *error) {
    const core_state *s = state;
    const size_t dims[] = {s->row.batch, s->row.queries, s->row.geometry.num_heads, s->width};
    peer_tensors_set_output(to, 4, dims);
    return peer_tensors_add(to, "x", 4, dims, s->queries, error) ||
                   peer_tensors_add_cache(to, "cache.", &s->cache, s->row.keys, error)
               ? -1
               : 0;
}

static float *answer(void *state) {
    core_state *s = state;
    s->answered = true;
    return s->contexts;
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const core_state *s = state;
    const bench_case *c = &s->row;
    *cache_bytes = (double)c->variant->cache_bytes(&c->geometry, c->batch, c->keys, (attn_element)c->kv);
    emit(to, "flops", row_flops(s) * (double)(c->batch * c->queries));
    emit(to, "bytes", *cache_bytes + 2.0 * sizeof(float) * (double)floats_of(s));
    emit(to, "kv_bytes_formula", *cache_bytes);
    emit(to, "kv_bytes_live", (double)attn_cache_bytes_live(&s->cache));
    if (c->variant->has_latent)
        emit(to, "path_run", true);
}

static const float *output(const void *state, size_t *floats) {
    const core_state *s = state;
    *floats = floats_of(s);
    return s->contexts;
}

const bench_kind_ops bench_attention_core = {.kind = BENCH_ATTENTION,
                                             .prepare = prepare,
                                             .check = check,
                                             .rewind = rewind_nothing,
                                             .run = run,
                                             .values = values,
                                             .output = output,
                                             .release = release,
                                             .hand_over = hand_over,
                                             .answer = answer};
