#include "bench/kinds/attention_setup.h"

#include "bench/kinds/attention_reference.h"
#include "bench/peers/tensors.h"

#include "attn/alloc.h"
#include "attn/memory.h"
#include "attn/random.h"
#include "attn/size.h"

#include <string.h>

#define AMPLITUDE 4.0f /* of frames: scores then spread enough for softmax to prefer some keys */

/* As many distinct frames as the reference can afford keys of: a prime. */
static size_t affordable_period(const attention_setup *s) {
    static const size_t periods[] = {61, 31, 13};
    const bench_case *c = &s->row;
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        if (attention_reference_flops(c, periods[i], periods[i]) <= s->check_flops)
            return periods[i];
    return 7;
}

static size_t sinusoids_floats(const bench_case *c) {
    return attn_has_rel_pos(&c->geometry) ? attn_sinusoids_floats(c->keys + 1, c->geometry.d_model) : 0;
}

static size_t workspace_bytes(const bench_case *c) {
    return c->impl->workspace(&c->geometry, c->batch, c->queries, c->keys, c->path, c->threads);
}

static double floats_needed(const attention_setup *s) {
    const bench_case *c = &s->row;
    double frames = (double)c->batch * (double)c->queries * (double)c->geometry.d_model;
    return 2 * frames + (double)sinusoids_floats(c) +
           (c->impl->packs ? 2.0 : 1.0) * (double)attn_layer_parameters(c->variant, &c->geometry) +
           2.0 * (double)c->variant->cache_bytes(&c->geometry, c->batch, c->keys, (attn_element)c->kv) /
               sizeof(float) +
           (double)workspace_bytes(c) / sizeof(float);
}

static float *floats(size_t count, const char *what, attn_error *error) {
    return attn_alloc(count, sizeof(float), what, error);
}

/* x [B, count, d] takes its frames from [B, period, d], over and over. */
static void repeat_frames(float *x, const float *frames, size_t batch, size_t count, size_t period,
                          size_t d) {
    for (size_t b = 0; b < batch; b++)
        for (size_t t = 0; t < count; t++)
            memcpy(x + (b * count + t) * d, frames + (b * period + t % period) * d, d * sizeof(float));
}

static int make_positions(attention_setup *s, attn_error *error) {
    const bench_case *c = &s->row;
    s->call.sinusoids = &s->sinusoids;
    return attn_has_rel_pos(&c->geometry)
               ? attn_sinusoids_init(&s->sinusoids, c->keys + 1, c->geometry.d_model, error)
               : 0;
}

static int make_frames(attention_setup *s, attn_error *error) {
    const bench_case *c = &s->row;
    size_t d = c->geometry.d_model;
    uint64_t random = s->seed + 1;
    s->frames = floats(c->batch * s->period * d, "frames", error);
    s->x = floats(c->batch * c->queries * d, "input", error);
    s->out = floats(c->batch * c->queries * d, "output", error);
    if (!s->frames || !s->x || !s->out)
        return -1;
    attn_random_uniform(s->frames, c->batch * s->period * d, AMPLITUDE, &random);
    repeat_frames(s->x, s->frames, c->batch, c->queries, s->period, d);
    s->call.x = s->x;
    return 0;
}

/* The frames held before the call are others than those of the call. */
static int fill_cache(attention_setup *s, attn_error *error) {
    const bench_case *c = &s->row;
    size_t held = c->keys - c->queries, period = attn_smaller(held, affordable_period(s)),
           d = c->geometry.d_model;
    uint64_t random = s->seed + 2;
    if (attn_cache_init(&s->cache, c->variant, &c->geometry, c->batch, c->keys, (attn_element)c->kv, error))
        return -1;
    float *frames = floats(c->batch * period * d, "frames held", error);
    int result = frames ? 0 : -1;
    if (frames && held) {
        attn_random_uniform(frames, c->batch * period * d, AMPLITUDE, &random);
        result = attention_append(&s->cache, &s->layer, &s->call, frames, period, held, error);
    }
    attn_free(frames);
    for (size_t i = 0; i < s->cache.slots && !result; i++) {
        if (!s->cache.slot[i].rows)
            continue;
        size_t size = attn_alloc_size(s->cache.data[i]);
        s->states[i] = attn_alloc(size, 1, "state", error);
        if (!s->states[i])
            return -1;
        memcpy(s->states[i], s->cache.data[i], size);
    }
    return result;
}

int attention_setup_init(attention_setup *s, const bench_case *row, const bench_settings *settings,
                         attn_error *error) {
    const attn_geometry *g = &row->geometry;
    *s = (attention_setup){.row = *row,
                           .seed = settings->seed,
                           .check_flops = settings->check_flops,
                           .threads = settings->threads};
    s->whole = row->queries == 1 || attention_reference_flops(row, row->queries, row->keys) <= s->check_flops;
    s->period = s->whole ? row->queries : attn_smaller(row->queries, affordable_period(s));
    s->call = (attn_call){.batch = row->batch, .frames = row->queries, .path = row->path};
    if (attn_memory_check(floats_needed(s) * sizeof(float), s->row.name, error) ||
        attn_layer_create(&s->layer, row->variant, g, s->seed, error) ||
        (row->impl->packs && attn_layer_pack(&s->layer, row->variant, error)) || make_positions(s, error) ||
        make_frames(s, error) || fill_cache(s, error))
        goto fail;
    s->workspace = attn_alloc(workspace_bytes(row), 1, "workspace", error);
    if (!s->workspace)
        goto fail;
    return 0;
fail:
    attention_setup_free(s);
    return -1;
}

void attention_setup_free(attention_setup *s) {
    attn_layer_free(&s->layer);
    attn_cache_free(&s->cache);
    attn_free(s->frames);
    attn_free(s->x);
    attn_free(s->out);
    attn_sinusoids_free(&s->sinusoids);
    attn_free(s->workspace);
    for (size_t i = 0; i < ATTN_CACHE_SLOTS; i++)
        attn_free(s->states[i]);
    *s = (attention_setup){0};
}

int attention_setup_hand_over(const attention_setup *s, peer_tensors *to, attn_error *error) {
    const size_t dims[] = {s->row.batch, s->row.queries, s->row.geometry.d_model};
    attn_layer layer = s->layer; /* a visit sets sizes on its way */
    peer_tensors_set_output(to, 3, dims);
    return peer_tensors_add(to, "x", 3, dims, s->x, error) ||
                   attn_layer_tensors(&layer, s->row.variant, peer_tensors_visit, to, error) ||
                   peer_tensors_add_cache(to, "cache.", &s->cache, s->row.keys, error)
               ? -1
               : 0;
}

void attention_setup_rewind(attention_setup *s) {
    s->cache.length = s->row.keys - s->row.queries;
    for (size_t i = 0; i < s->cache.slots; i++)
        if (s->states[i])
            memcpy(s->cache.data[i], s->states[i], attn_alloc_size(s->states[i]));
}

void attention_setup_run(attention_setup *s) {
    s->cache.length = s->row.keys - s->row.queries;
    attn_isa limit = attn_cpu_limit((attn_isa)s->row.isa);
    attn_threads *before = attn_threads_use(s->threads);
    s->row.impl->forward(s->out, &s->layer, &s->cache, &s->call, s->workspace);
    attn_threads_use(before);
    attn_cpu_limit(limit);
}
