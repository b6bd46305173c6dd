/* The comparison of an implementation with the scalar reference before anything is timed. */
#include "bench/kinds/attention_check.h"

#include "bench/kinds/attention_reference.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/random.h"
#include "attn/size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4
enum { MOST_SAMPLES = 16 };

/* What the check works with; rows are [samples, B, d_model]. */
typedef struct comparison {
    attn_cache cache; /* the reference's: L frames in the end, and room for one more */
    bool rounded;     /* caches are of a type other than f32 */
    bool whole;       /* all rows of the output at once */
    size_t samples;
    size_t sample[MOST_SAMPLES]; /* frames of the call; unused when whole */
    float *expected, *found;
    float *rows[2]; /* rounded: rows of a head of either cache, as floats */
} comparison;

static int run_reference(float *out, const attention_setup *s, attn_cache *cache, const attn_call *call,
                         attn_error *error) {
    return attention_reference_run(out, s->row.variant, &s->layer, cache, call, error);
}

/* The frames that `from` holds, into a cache with room for them. */
static void copy_rows(attn_cache *to, const attn_cache *from) {
    to->length = from->length;
    for (size_t i = 0; i < from->slots; i++) {
        size_t rows = from->slot[i].rows ? from->slot[i].rows : from->length;
        for (size_t b = 0; b < from->batch; b++)
            for (size_t head = 0; head < attention_slot_heads(from, i); head++)
                memcpy(attn_cache_rows(to, i, b, head), attn_cache_rows(from, i, b, head),
                       rows * attn_cache_row_bytes(from, i));
    }
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

static int run_samples(comparison *m, const attention_setup *s, attn_error *error) {
    for (size_t i = 0; i < m->samples; i++)
        if (run_sample(m, s, i, error))
            return -1;
    return 0;
}

static void gather_found(comparison *m, const attention_setup *s) {
    size_t d = s->row.geometry.d_model, batch = s->row.batch;
    if (m->whole) {
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

static const float *rows_of(const comparison *m, size_t which, const attn_cache *cache, size_t slot, size_t b,
                            size_t head, size_t count) {
    if (!m->rounded)
        return attn_cache_rows(cache, slot, b, head);
    attn_cache_load(m->rows[which], cache, slot, b, head, 0, count);
    return m->rows[which];
}

/* Numbers that differ by a rounding error may go to neighbours when they are rounded to the cache's type: a step is
 * twice what rounding changes at most. */
static void compare_slot(bench_check *check, const comparison *m, const attention_setup *s, size_t slot) {
    const attn_cache_slot *shape = &s->cache.slot[slot];
    size_t rows = shape->rows ? shape->rows : s->row.keys, count = rows * shape->width;
    size_t heads = attention_slot_heads(&m->cache, slot);
    double largest = 0.0, tolerance = TOLERANCE + 2 * attn_element_rounding(shape->type);
    for (size_t i = 0; i < s->row.batch * heads; i++)
        largest = fmax(largest,
                       largest_magnitude(rows_of(m, 0, &m->cache, slot, i / heads, i % heads, rows), count));
    for (size_t i = 0; i < s->row.batch * heads && check->ok; i++) {
        const float *expected = rows_of(m, 0, &m->cache, slot, i / heads, i % heads, rows);
        const float *found = rows_of(m, 1, &s->cache, slot, i / heads, i % heads, rows);
        attn_difference d = attn_compare(found, expected, count, tolerance * largest, 0.0);
        check->ok = d.ok;
        if (!d.ok)
            snprintf(check->what, sizeof check->what,
                     "cached %s differs from the scalar reference by %g at row %zu, expected at most %g",
                     shape->name, d.max_abs, d.first_bad / shape->width, tolerance * largest);
    }
}

static void compare_caches(bench_check *check, const comparison *m, const attention_setup *s) {
    for (size_t i = 0; i < s->cache.slots && check->ok; i++)
        compare_slot(check, m, s, i);
}

static void compare_output(bench_check *check, const comparison *m, const attention_setup *s) {
    check->rows = m->samples * s->row.batch;
    size_t count = check->rows * s->row.geometry.d_model;
    check->limit = TOLERANCE * largest_magnitude(m->expected, count);
    attn_difference difference = attn_compare(m->found, m->expected, count, check->limit, 0.0);
    check->max_error = difference.max_abs;
    if (difference.ok)
        return;
    check->ok = false;
    snprintf(check->what, sizeof check->what,
             "output differs from the scalar reference by %g, expected at most %g (%zu rows compared)",
             check->max_error, check->limit, check->rows);
}

/* The reference works out its own keys. Rounded ones may differ from the implementation's by a step, which shows in the
 * output: once the caches have been compared, its queries go over the implementation's. */
static int run_and_compare(bench_check *check, comparison *m, const attention_setup *s, attn_error *error) {
    *check = (bench_check){.ok = true};
    if (m->whole && run_reference(m->expected, s, &m->cache, &s->call, error))
        return -1;
    if (!m->whole &&
        attention_append(&m->cache, &s->layer, &s->call, s->frames, s->period, s->row.queries, error))
        return -1;
    if (m->rounded) {
        compare_caches(check, m, s);
        copy_rows(&m->cache, &s->cache);
    }
    if (!m->whole && run_samples(m, s, error))
        return -1;
    compare_output(check, m, s);
    if (!m->rounded && !s->answered) /* a peer's caches stay with it */
        compare_caches(check, m, s);
    return 0;
}

static int allocate(comparison *m, const attention_setup *s, attn_error *error) {
    const attn_cache *cache = &s->cache;
    size_t d = s->row.geometry.d_model, width = 0;
    m->expected = attn_alloc(m->samples * s->row.batch * d, sizeof(float), "expected output", error);
    m->found = attn_alloc(m->samples * s->row.batch * d, sizeof(float), "output compared", error);
    if (!m->expected || !m->found ||
        attn_cache_init(&m->cache, cache->variant, &cache->geometry, cache->batch, s->row.keys + 1,
                        cache->type, error))
        return -1;
    for (size_t i = 0; i < cache->slots; i++)
        width = attn_larger(width, cache->slot[i].width);
    for (size_t i = 0; i < 2 && m->rounded; i++) {
        m->rows[i] = attn_alloc(s->row.keys * width, sizeof(float), "rows compared", error);
        if (!m->rows[i])
            return -1;
    }
    return 0;
}

static void release(comparison *m) {
    attn_free(m->expected);
    attn_free(m->found);
    attn_free(m->rows[0]);
    attn_free(m->rows[1]);
    attn_cache_free(&m->cache);
}

int attention_check(attention_setup *s, bench_check *check, attn_error *error) {
    comparison m = {.rounded = s->cache.type != ATTN_ELEMENT_F32};
    m.whole = s->whole && !m.rounded;
    attention_setup_rewind(s);
    if (m.whole)
        m.samples = s->row.queries;
    else
        draw_samples(&m, s);
    int result = allocate(&m, s, error);
    if (!result) {
        copy_rows(&m.cache, &s->cache);
        if (!s->answered)
            attention_setup_run(s);
        gather_found(&m, s);
        result = run_and_compare(check, &m, s, error);
        attention_setup_rewind(s);
    }
    release(&m);
    return result;
}
