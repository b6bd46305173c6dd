/* The comparison of an implementation with the scalar reference before anything is timed. */
#include "bench/kinds/attention_check.h"

#include "bench/kinds/attention_reference.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4
enum { MOST_SAMPLES = 16 };

/* What the check works with; rows are [samples, B, d_model]. */
typedef struct comparison {
    attn_cache cache; /* the reference's: L frames in the end, and room for one more */
    size_t samples;
    size_t sample[MOST_SAMPLES]; /* frames of the call; unused when whole */
    float *expected, *found;
} comparison;

static int run_reference(float *out, const attention_setup *s, attn_cache *cache, const attn_call *call,
                         attn_error *error) {
    return attention_reference_run(out, s->row.variant, &s->layer, cache, call, error);
}

static int copy_cache(attn_cache *to, const attn_cache *from, size_t capacity, attn_error *error) {
    if (attn_cache_init(to, from->variant, &from->geometry, from->batch, capacity, error))
        return -1;
    to->length = from->length;
    for (size_t i = 0; i < from->slots; i++) {
        size_t rows = from->slot[i].rows ? from->slot[i].rows : from->length;
        for (size_t b = 0; b < from->batch; b++)
            for (size_t head = 0; head < attention_slot_heads(from, i); head++)
                memcpy(attn_cache_rows(to, i, b, head), attn_cache_rows(from, i, b, head),
                       rows * from->slot[i].width * sizeof(float));
    }
    return 0;
}

/* One frame from each of equal stretches of the call. */
static void draw_samples(comparison *m, const attention_setup *s) {
    const bench_case *c = &s->row;
    uint64_t random = s->seed + 3;
    double row = attention_reference_flops(c, 1, c->keys);
    size_t most = c->queries < MOST_SAMPLES ? c->queries : MOST_SAMPLES;
    m->samples = row * (double)most > s->check_flops ? (size_t)fmax(1.0, s->check_flops / row) : most;
    for (size_t i = 0; i < m->samples; i++) {
        size_t from = i * c->queries / m->samples, to = (i + 1) * c->queries / m->samples;
        m->sample[i] = from + attn_random_below(&random, to - from);
    }
}

/* Query t against all L keys: they are in the cache already, and the length masks the frame that the call
 * appends. That frame sits at position L, so under rel_pos the distances are shifted back by L - t. */
static int run_sample(comparison *m, const attention_setup *s, size_t i, attn_error *error) {
    size_t lengths[BENCH_BATCH_MAX], d = s->row.geometry.d_model, t = m->sample[i];
    attn_call call = s->call;
    float *x = attn_alloc(call.batch * d, sizeof(float), "sampled frame", error);
    if (!x)
        return -1;
    for (size_t b = 0; b < call.batch; b++) {
        memcpy(x + b * d, s->x + (b * s->row.queries + t) * d, d * sizeof(float));
        lengths[b] = s->row.keys;
    }
    call.x = x;
    call.frames = 1;
    call.lengths = lengths;
    if (s->row.geometry.pos_enc == ATTN_POS_REL)
        call.position_shift -= (long)(s->row.queries - t);
    m->cache.length = s->row.keys;
    int result = run_reference(m->expected + i * call.batch * d, s, &m->cache, &call, error);
    m->cache.length = s->row.keys;
    attn_free(x);
    return result;
}

static int compute_expected(comparison *m, const attention_setup *s, attn_error *error) {
    if (s->whole)
        return run_reference(m->expected, s, &m->cache, &s->call, error);
    if (attention_append(&m->cache, &s->layer, &s->call, s->frames, s->period, s->row.queries, error))
        return -1;
    for (size_t i = 0; i < m->samples; i++)
        if (run_sample(m, s, i, error))
            return -1;
    return 0;
}

static void gather_found(comparison *m, const attention_setup *s) {
    size_t d = s->row.geometry.d_model, batch = s->row.batch;
    if (s->whole) {
        memcpy(m->found, s->out, batch * s->row.queries * d * sizeof(float));
        return;
    }
    for (size_t i = 0; i < m->samples; i++)
        for (size_t b = 0; b < batch; b++)
            memcpy(m->found + (i * batch + b) * d, s->out + (b * s->row.queries + m->sample[i]) * d,
                   d * sizeof(float));
}

static double largest_magnitude(const float *x, size_t n) {
    return attn_compare(x, x, n, 0.0, 0.0).max_b;
}

static void compare_slot(bench_check *check, const attention_setup *s, const attn_cache *reference,
                         size_t slot) {
    const attn_cache_slot *shape = &s->cache.slot[slot];
    size_t count = (shape->rows ? shape->rows : s->row.keys) * shape->width;
    double largest = 0.0;
    for (size_t b = 0; b < s->row.batch; b++)
        for (size_t head = 0; head < attention_slot_heads(reference, slot); head++)
            largest = fmax(largest, largest_magnitude(attn_cache_rows(reference, slot, b, head), count));
    for (size_t b = 0; b < s->row.batch && check->ok; b++)
        for (size_t head = 0; head < attention_slot_heads(reference, slot) && check->ok; head++) {
            attn_difference d =
                attn_compare(attn_cache_rows(&s->cache, slot, b, head),
                             attn_cache_rows(reference, slot, b, head), count, TOLERANCE * largest, 0.0);
            if (d.ok)
                continue;
            check->ok = false;
            snprintf(check->what, sizeof check->what,
                     "cached %s differs from the scalar reference by %g at row %zu, expected at most %g",
                     shape->name, d.max_abs, d.first_bad / shape->width, TOLERANCE * largest);
        }
}

static void compare(bench_check *check, const comparison *m, const attention_setup *s) {
    size_t d = s->row.geometry.d_model;
    *check = (bench_check){.rows = m->samples * s->row.batch};
    check->limit = TOLERANCE * largest_magnitude(m->expected, check->rows * d);
    attn_difference difference = attn_compare(m->found, m->expected, check->rows * d, check->limit, 0.0);
    check->ok = difference.ok;
    check->max_error = difference.max_abs;
    if (!check->ok)
        snprintf(check->what, sizeof check->what,
                 "output differs from the scalar reference by %g, expected at most %g (%zu rows compared)",
                 check->max_error, check->limit, check->rows);
    for (size_t i = 0; i < s->cache.slots && check->ok; i++)
        compare_slot(check, s, &m->cache, i);
}

int attention_check(attention_setup *s, bench_check *check, attn_error *error) {
    comparison m = {0};
    size_t d = s->row.geometry.d_model;
    int result = -1;
    attention_setup_rewind(s);
    if (s->whole)
        m.samples = s->row.queries;
    else
        draw_samples(&m, s);
    m.expected = attn_alloc(m.samples * s->row.batch * d, sizeof(float), "expected output", error);
    m.found = attn_alloc(m.samples * s->row.batch * d, sizeof(float), "output compared", error);
    if (!m.expected || !m.found || copy_cache(&m.cache, &s->cache, s->row.keys + 1, error) ||
        compute_expected(&m, s, error))
        goto done;
    attention_setup_run(s);
    gather_found(&m, s);
    compare(check, &m, s);
    attention_setup_rewind(s);
    result = 0;
done:
    attn_free(m.expected);
    attn_free(m.found);
    attn_cache_free(&m.cache);
    return result;
}
