/* The kind attention/<type>/<mode>: one attention layer, one call. */
#include "bench/attention_setup.h"
#include "bench/kind.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

const char *const bench_kv_names[] = {"f32", NULL};

static const char *const modes[] = {"prefill", "chunk", "decode", NULL};
enum { PREFILL, CHUNK, DECODE };
enum { CHUNK_FRAMES = 16 };

/* Sizes up to which no product of a workspace overflows. */
enum { MOST_FRAMES = 1 << 24, MOST_BATCH = ATTENTION_BATCH_MAX, MOST_WIDTH = 1 << 20 };

static bool takes_kv_heads(const bench_case *c) {
    return c->variant->has_kv_heads;
}

static bool takes_latent(const bench_case *c) {
    return c->variant->has_latent;
}

static const char *kv_choice(const bench_case *c, size_t i) {
    (void)c;
    return bench_kv_names[i];
}

static const char *pos_choice(const bench_case *c, size_t i) {
    (void)c;
    return attn_pos_enc_names[i];
}

static const char *path_choice(const bench_case *c, size_t i) {
    (void)c;
    return attn_path_names[i];
}

_Static_assert(sizeof(attn_path) == sizeof(unsigned) && sizeof(attn_pos_enc) == sizeof(unsigned),
               "choices are stored as unsigned");

static const bench_key keys[] = {
    {.name = "L", .offset = offsetof(bench_case, keys), .most = MOST_FRAMES},
    {.name = "q", .offset = offsetof(bench_case, queries), .most = MOST_FRAMES},
    {.name = "B", .offset = offsetof(bench_case, batch), .fallback = 1, .most = MOST_BATCH, .quiet = true},
    {.name = "h", .offset = offsetof(bench_case, geometry.num_heads), .fallback = 8, .most = MOST_WIDTH},
    {.name = "d", .offset = offsetof(bench_case, geometry.d_model), .fallback = 512, .most = MOST_WIDTH},
    {.name = "hkv",
     .offset = offsetof(bench_case, geometry.num_kv_heads),
     .most = MOST_WIDTH,
     .applies = takes_kv_heads},
    {.name = "dc",
     .offset = offsetof(bench_case, geometry.latent_dim),
     .most = MOST_WIDTH,
     .applies = takes_latent},
    {.name = "kv", .offset = offsetof(bench_case, kv), .choice = kv_choice},
    {.name = "pos", .offset = offsetof(bench_case, geometry.pos_enc), .choice = pos_choice, .quiet = true},
    {.name = "path", .offset = offsetof(bench_case, path), .choice = path_choice, .applies = takes_latent},
    {.name = "impl", .offset = offsetof(bench_case, impl_choice), .choice = bench_impl_choice},
    {.name = NULL}};

static int subject(bench_case *c, char *const *words, attn_error *error) {
    char known[128] = "";
    c->variant = attn_variant_find(words[0]);
    for (size_t i = 0; !c->variant && attn_variants[i]; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", attn_variants[i]->name);
    }
    if (!c->variant)
        return attn_fail(error, "\"%s\": not a type of attention, expected one of %s", words[0], known);
    size_t mode = 0;
    while (modes[mode] && strcmp(modes[mode], words[1]))
        mode++;
    if (!modes[mode])
        return attn_fail(error, "\"%s\": not a mode, expected one of prefill, chunk, decode", words[1]);
    snprintf(c->subject, sizeof c->subject, "%s", c->variant->name);
    snprintf(c->mode, sizeof c->mode, "%s", modes[mode]);
    return 0;
}

static int complete_frames(bench_case *c, attn_error *error) {
    bool prefill = !strcmp(c->mode, modes[PREFILL]), decode = !strcmp(c->mode, modes[DECODE]);
    if (!c->keys)
        return attn_fail(error, "L: missing, expected the number of keys attended to");
    if (!c->queries)
        c->queries = prefill ? c->keys : decode ? 1 : CHUNK_FRAMES;
    if (prefill && c->queries != c->keys)
        return attn_fail(error, "q: found %zu, expected L (%zu), as prefill starts without a cache",
                         c->queries, c->keys);
    if (decode && c->queries != 1)
        return attn_fail(error, "q: found %zu, expected 1, as decode takes one frame (chunk takes more)",
                         c->queries);
    if (c->queries > c->keys)
        return attn_fail(error, "L: found %zu, expected at least q (%zu), as new frames attend to themselves",
                         c->keys, c->queries);
    return 0;
}

static int complete_geometry(bench_case *c, attn_error *error) {
    static const char *const row_keys[][2] = {{"d_model", "d"},
                                              {"num_heads", "h"},
                                              {"num_kv_heads", "hkv"},
                                              {"latent_dim", "dc"},
                                              {"pos_enc", "pos"}};
    const char *fault = NULL, *key = "d";
    attn_error inner = {0};
    if (!attn_geometry_complete(&c->geometry, c->variant, &fault, &inner))
        return 0;
    for (size_t i = 0; fault && i < sizeof row_keys / sizeof row_keys[0]; i++)
        if (!strcmp(row_keys[i][0], fault))
            key = row_keys[i][1];
    return attn_fail(error, "%s: %s", key, inner.message);
}

static int complete(bench_case *c, attn_error *error) {
    if (complete_frames(c, error) || complete_geometry(c, error))
        return -1;
    return bench_impl_complete(c, error);
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    if (bench_impl_supported(c, error))
        return BENCH_UNSUPPORTED;
    attention_setup *setup = attn_alloc(1, sizeof *setup, "set-up of a case", error);
    if (!setup)
        return -1;
    if (attention_setup_init(setup, c, settings->seed, settings->check_flops, error)) {
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

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const attention_setup *setup = state;
    const bench_case *c = &setup->row;
    const attn_geometry *g = &c->geometry;
    attn_path path = attn_path_resolve(c->variant, g, c->batch, c->queries, c->keys, c->path);
    attn_cost cost = attn_impl_cost(c->variant, c->impl, g, c->batch, c->queries, c->keys, path);
    *cache_bytes = (double)c->variant->cache_bytes(g, c->batch, c->keys, sizeof(float));
    emit(to, "flops", cost.flops);
    emit(to, "bytes", cost.bytes);
    emit(to, "kv_bytes_formula", *cache_bytes);
    emit(to, "kv_bytes_live", (double)attn_cache_bytes_live(&setup->cache));
    if (c->variant->has_latent)
        emit(to, "path_run", path == ATTN_PATH_ABSORB);
}

static void release(void *state) {
    attention_setup_free(state);
    attn_free(state);
}

const bench_kind_ops bench_attention = {.name = "attention",
                                        .words = 2,
                                        .form = "attention/<type>/<mode>/<key:value>/...",
                                        .keys = keys,
                                        .subject = subject,
                                        .complete = complete,
                                        .prepare = prepare,
                                        .check = check,
                                        .rewind = rewind_cache,
                                        .run = run,
                                        .values = values,
                                        .release = release};
