/* The kind attention/<type>/<mode>: one attention layer, one call. */
#include "bench/field.h"
#include "bench/kind.h"
#include "bench/kinds/attention_check.h"
#include "bench/kinds/attention_setup.h"
#include "bench/kinds/models.h"
#include "impl/attention/variant_names.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

static int subject(bench_case *c, char *const *words, attn_error *error) {
    char known[ATTN_VARIANT_NAMES_TEXT];
    c->variant = attn_variant_find(words[0]);
    if (!c->variant) {
        attn_variant_names_text(known, ATTN_TAKES_ANYTHING, ", ");
        return attn_fail(error, "\"%s\": not a type of attention, expected one of %s", words[0], known);
    }
    snprintf(c->subject, sizeof c->subject, "%s", c->variant->name);
    return models_read_mode(c, "attention", words[1], error);
}

static int complete_frames(bench_case *c, attn_error *error) {
    if (models_complete_queries(c, error))
        return -1;
    if (c->where & BENCH_PREFILL && c->queries != c->keys)
        return attn_fail(error, "q: found %zu, expected L (%zu), as prefill starts without a cache",
                         c->queries, c->keys);
    if (c->queries > c->keys)
        return attn_fail(error, "L: found %zu, expected at least q (%zu), as new frames attend to themselves",
                         c->keys, c->queries);
    return 0;
}

static int complete_geometry(bench_case *c, attn_error *error) {
    const char *fault = NULL, *key = "d";
    attn_error inner = {0};
    if (!attn_geometry_complete(&c->geometry, c->variant, &fault, &inner))
        return 0;
    for (size_t i = 0; fault && i < BENCH_FIELDS; i++)
        if (bench_fields[i].plan && !strcmp(bench_fields[i].plan, fault))
            key = bench_fields[i].key;
    return attn_fail(error, "%s: %s", key, inner.message);
}

static int complete(bench_case *c, attn_error *error) {
    if (complete_frames(c, error) || complete_geometry(c, error))
        return -1;
    return models_complete(c, error);
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    if (models_supported(c, error))
        return BENCH_UNSUPPORTED;
    attention_setup *setup = attn_alloc(1, sizeof *setup, "set-up of a case", error);
    if (!setup)
        return -1;
    if (attention_setup_init(setup, c, settings, error)) {
        attn_free(setup);
        return -1;
    }
    *state = setup;
    return 0;
}

static int check(void *state, bench_check *result, attn_error *error) {
    return attention_check(state, result, error);
}

static void rewind_cache(void *state) {
    attention_setup_rewind(state);
}

static void run(void *state) {
    attention_setup_run(state);
}

static void run_parts(void *state, bench_part_hook *hook, void *context) {
    attention_setup *s = state;
    bench_part_watch watch = {hook, context, models_marks_attention(&s->row)};
    bench_parts_watch(&watch);
    bench_parts_begin(&watch, ATTN_PART_ATTENTION);
    attention_setup_run(s);
    bench_parts_unwatch();
}

static int hand_over(void *state, struct peer_tensors *to, attn_error *error) {
    return attention_setup_hand_over(state, to, error);
}

static float *answer(void *state) {
    attention_setup *setup = state;
    setup->answered = true;
    return setup->out;
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const attention_setup *setup = state;
    const bench_case *c = &setup->row;
    const attn_geometry *g = &c->geometry;
    attn_path path = attn_path_resolve(c->variant, g, c->batch, c->queries, c->keys, c->path);
    attn_cost cost =
        attn_impl_cost(c->variant, c->impl, g, c->batch, c->queries, c->keys, path, (attn_element)c->kv);
    *cache_bytes = (double)c->variant->cache_bytes(g, c->batch, c->keys, (attn_element)c->kv);
    emit(to, "flops", cost.flops);
    emit(to, "bytes", cost.bytes);
    emit(to, "kv_bytes_formula", *cache_bytes);
    emit(to, "kv_bytes_live", (double)attn_cache_bytes_live(&setup->cache));
    if (c->variant->has_latent)
        emit(to, "path_run", path == ATTN_PATH_ABSORB);
}

static const float *output(const void *state, size_t *floats) {
    const attention_setup *setup = state;
    *floats = setup->row.batch * setup->row.queries * setup->row.geometry.d_model;
    return setup->out;
}

static void release(void *state) {
    attention_setup_free(state);
    attn_free(state);
}

const bench_kind_ops bench_attention = {.kind = BENCH_ATTENTION,
                                        .name = "attention",
                                        .words = 2,
                                        .form = "attention/<type>/<mode>/<key:value>/...",
                                        .subject = subject,
                                        .complete = complete,
                                        .prepare = prepare,
                                        .check = check,
                                        .rewind = rewind_cache,
                                        .run = run,
                                        .run_parts = run_parts,
                                        .values = values,
                                        .output = output,
                                        .release = release,
                                        .hand_over = hand_over,
                                        .answer = answer};
