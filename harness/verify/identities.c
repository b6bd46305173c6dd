#include "harness/verify/identities.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/random.h"
#include "attn/size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LIMIT 2e-5

/* One random layer and its input. */
typedef struct setting {
    const attn_variant *variant;
    attn_geometry geometry;
    attn_layer layer;
    size_t batch, frames;
    size_t lengths[3]; /* 0 too: a fully masked utterance */
    float *x;          /* [B, T, d_model] */
    attn_sinusoids sinusoids;
    uint64_t seed;
} setting;

static size_t row_floats(const setting *s) {
    return s->frames * s->geometry.d_model;
}

static void release(setting *s) {
    attn_layer_free(&s->layer);
    attn_free(s->x);
    attn_sinusoids_free(&s->sinusoids);
}

static int draw(setting *s, const attn_variant *variant, uint64_t *random, attn_error *error) {
    static const size_t widths[] = {8, 12, 16}, heads[] = {1, 2, 4};
    *s = (setting){.variant = variant, .seed = attn_random_next(random)};
    attn_geometry *g = &s->geometry;
    g->num_heads = heads[attn_random_below(random, 3)];
    g->d_model = g->num_heads * widths[attn_random_below(random, 3)];
    g->num_kv_heads = g->num_heads >> attn_random_below(random, 2);
    g->num_kv_heads = g->num_kv_heads ? g->num_kv_heads : 1;
    g->latent_dim = 1 + attn_random_below(random, 2 * g->d_model);
    size_t pos_enc = attn_random_below(random, 4);
    g->pos_enc = variant->is_softmax ? (attn_pos_enc)pos_enc : ATTN_POS_NONE;
    s->batch = 1 + attn_random_below(random, 3);
    s->frames = 1 + attn_random_below(random, 20);
    if (!attn_random_below(random, 8))
        s->frames += 256; /* more than one tile of queries */
    for (size_t b = 0; b < 3; b++)
        s->lengths[b] = attn_random_below(random, s->frames + 1);
    if (attn_geometry_complete(g, variant, NULL, error) ||
        attn_layer_create(&s->layer, variant, g, s->seed, error))
        return -1;
    s->x = attn_alloc(s->batch * row_floats(s), sizeof(float), "input", error);
    if (!s->x || attn_sinusoids_init(&s->sinusoids, s->frames, g->d_model, error))
        return -1;
    attn_random_uniform(s->x, s->batch * row_floats(s), 2.0f, random);
    return 0;
}

/* ---- Running a setting ---- */

typedef struct run_options {
    const char *impl;
    attn_path path;
    size_t chunk; /* 0: whole */
    const size_t *lengths;
    attn_element type; /* of the cache */
} run_options;

static int run_chunk(const setting *s, const run_options *o, attn_cache *cache, float *out, size_t t,
                     size_t n, attn_error *error) {
    const attn_impl *impl = attn_impl_find(s->variant, o->impl);
    size_t d = s->geometry.d_model, row = row_floats(s);
    int result = -1;
    float *part = attn_alloc(s->batch * n * d, sizeof(float), "chunk", error);
    float *y = attn_alloc(s->batch * n * d, sizeof(float), "chunk", error);
    /* A fresh workspace for each call: a sanitizer sees any step beyond what was asked for. */
    void *workspace =
        attn_alloc(impl->workspace(&s->geometry, s->batch, n, t + n, o->path, 1), 1, "workspace", error);
    if (part && y && workspace) {
        for (size_t b = 0; b < s->batch; b++)
            memcpy(part + b * n * d, s->x + b * row + t * d, n * d * sizeof(float));
        attn_call call = {.x = part,
                          .batch = s->batch,
                          .frames = n,
                          .lengths = o->lengths,
                          .path = o->path,
                          .sinusoids = &s->sinusoids};
        impl->forward(y, &s->layer, cache, &call, workspace);
        for (size_t b = 0; b < s->batch; b++)
            memcpy(out + b * row + t * d, y + b * n * d, n * d * sizeof(float));
        result = 0;
    }
    attn_free(part);
    attn_free(y);
    attn_free(workspace);
    return result;
}

/* The output [B, T, d_model], the caller's to free, as the cache is that it leaves; NULL when memory is refused. */
static float *run_to_cache(attn_cache *cache, const setting *s, const run_options *o, attn_error *error) {
    size_t step = o->chunk ? o->chunk : s->frames;
    if (attn_cache_init(cache, s->variant, &s->geometry, s->batch, s->frames, o->type, error))
        return NULL;
    float *out = attn_alloc(s->batch * row_floats(s), sizeof(float), "output", error);
    for (size_t t = 0; out && t < s->frames; t += step)
        if (run_chunk(s, o, cache, out, t, step < s->frames - t ? step : s->frames - t, error)) {
            attn_free(out);
            out = NULL;
        }
    return out;
}

static float *run(const setting *s, run_options o, attn_error *error) {
    attn_cache cache;
    float *out = run_to_cache(&cache, s, &o, error);
    attn_cache_free(&cache);
    return out;
}

/* ---- Comparing ---- */

static void record(identity_result *r, const setting *s, const char *what, const float *a, const float *b,
                   size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double difference = fabs((double)a[i] - (double)b[i]) / (1 + fabs((double)b[i]));
        if (!(difference <= worst))
            worst = difference;
        if (isnan(worst))
            break;
    }
    r->comparisons++;
    if (!(worst <= r->worst))
        r->worst = worst;
    if (worst <= LIMIT || !r->ok)
        return;
    r->ok = false;
    const attn_geometry *g = &s->geometry;
    snprintf(r->where, sizeof r->where,
             "%s: d_model %zu, heads %zu, kv heads %zu, latent_dim %zu, %s, B %zu, T %zu: %g", what,
             g->d_model, g->num_heads, g->num_kv_heads, g->latent_dim, attn_pos_enc_names[g->pos_enc],
             s->batch, s->frames, worst);
}

static int compare_runs(identity_result *r, const setting *s, run_options a, run_options b,
                        attn_error *error) {
    char what[96];
    snprintf(what, sizeof what, "%s %s chunk %zu%s", a.impl, attn_path_names[a.path], a.chunk,
             a.lengths ? " with lengths" : "");
    float *left = run(s, a, error), *right = left ? run(s, b, error) : NULL;
    if (right)
        record(r, s, what, left, right, s->batch * row_floats(s));
    attn_free(left);
    attn_free(right);
    return right ? 0 : -1;
}

/* ---- The identities ---- */

static attn_path last_path(const setting *s) {
    return s->variant->has_latent ? ATTN_PATH_ABSORB : ATTN_PATH_EXPAND;
}

static int implementations(identity_result *r, setting *s, attn_error *error) {
    for (attn_path path = ATTN_PATH_EXPAND; path <= last_path(s); path++)
        for (size_t i = 1; i < ATTN_IMPLS && s->variant->impls[i].name; i++)
            for (size_t chunk = 0; chunk <= 3; chunk += 3)
                for (int with = 0; with < 2; with++) {
                    run_options reference = {"scalar", path, chunk, with ? s->lengths : NULL,
                                             ATTN_ELEMENT_F32},
                                tried = reference;
                    tried.impl = s->variant->impls[i].name;
                    if (compare_runs(r, s, tried, reference, error))
                        return -1;
                }
    return 0;
}

static int paths(identity_result *r, setting *s, attn_error *error) {
    return compare_runs(r, s, (run_options){"scalar", ATTN_PATH_ABSORB, 0, s->lengths, ATTN_ELEMENT_F32},
                        (run_options){"scalar", ATTN_PATH_EXPAND, 0, s->lengths, ATTN_ELEMENT_F32}, error);
}

/* The rows of `from` as floats, in a cache with room for as many again. */
static int widen_cache(attn_cache *to, const attn_cache *from, attn_error *error) {
    if (attn_cache_init(to, from->variant, &from->geometry, from->batch, 2 * from->length, ATTN_ELEMENT_F32,
                        error))
        return -1;
    for (size_t i = 0; i < from->slots; i++)
        for (size_t b = 0; b < from->batch; b++)
            for (size_t head = 0; head < attn_larger(1, from->slot[i].heads); head++)
                attn_cache_load(attn_cache_rows(to, i, b, head), from, i, b, head, 0, from->length);
    to->length = from->length;
    return 0;
}

/* The queries of all frames over the rows of `cache`, by the scalar reference: the frames come once more, behind those
 * held, where the lengths mask them, and at the positions that they had. */
static float *attend_over(const setting *s, const attn_cache *cache, const size_t *lengths,
                          attn_error *error) {
    attn_cache wide = {0};
    const attn_impl *scalar = &s->variant->impls[0];
    size_t most[3] = {s->frames, s->frames, s->frames};
    float *out = attn_alloc(s->batch * row_floats(s), sizeof(float), "output", error);
    void *workspace =
        attn_alloc(scalar->workspace(&s->geometry, s->batch, s->frames, 2 * s->frames, ATTN_PATH_AUTO, 1), 1,
                   "workspace", error);
    attn_call call = {.x = s->x,
                      .batch = s->batch,
                      .frames = s->frames,
                      .lengths = lengths ? lengths : most,
                      .position_shift = s->geometry.pos_enc == ATTN_POS_REL ? -(long)s->frames : 0};
    if (out && workspace && !widen_cache(&wide, cache, error)) {
        scalar->forward(out, &s->layer, &wide, &call, workspace);
    } else {
        attn_free(out);
        out = NULL;
    }
    attn_cache_free(&wide);
    attn_free(workspace);
    return out;
}

static int compare_rounded(identity_result *r, const setting *s, const run_options *o, attn_error *error) {
    attn_cache cache;
    char what[96];
    snprintf(what, sizeof what, "%s %s %s%s", attn_kv_dtype_names[o->type], o->impl, attn_path_names[o->path],
             o->lengths ? " with lengths" : "");
    float *out = run_to_cache(&cache, s, o, error);
    float *expected = out ? attend_over(s, &cache, o->lengths, error) : NULL;
    if (expected)
        record(r, s, what, out, expected, s->batch * row_floats(s));
    attn_free(out);
    attn_free(expected);
    attn_cache_free(&cache);
    return expected ? 0 : -1;
}

static int cache_types(identity_result *r, setting *s, attn_error *error) {
    static const char *const impls[] = {"scalar", "auto"};
    attn_element type = ATTN_ELEMENT_F16 + s->seed % (ATTN_ELEMENTS - 1); /* each draw has one of them */
    for (attn_path path = ATTN_PATH_EXPAND; path <= last_path(s); path++)
        for (int with = 0; with < 2; with++)
            for (size_t i = 0; i < 2; i++) {
                run_options o = {impls[i], path, 0, with ? s->lengths : NULL, type};
                if (compare_rounded(r, s, &o, error))
                    return -1;
            }
    return 0;
}

/* The same weights under another variant. */
static int compare_variants(identity_result *r, const setting *s, const setting *other, const char *what,
                            attn_error *error) {
    run_options o = {"scalar", ATTN_PATH_EXPAND, 0, s->lengths, ATTN_ELEMENT_F32};
    float *a = run(s, o, error), *b = a ? run(other, o, error) : NULL;
    if (b)
        record(r, s, what, a, b, s->batch * row_floats(s));
    attn_free(a);
    attn_free(b);
    return b ? 0 : -1;
}

static int gqa_is_mha(identity_result *r, setting *s, attn_error *error) {
    attn_layer_free(&s->layer);
    s->geometry.num_kv_heads = s->geometry.num_heads;
    if (attn_layer_create(&s->layer, s->variant, &s->geometry, s->seed, error))
        return -1;
    setting mha = *s;
    mha.variant = attn_variant_find("mha");
    mha.geometry.num_kv_heads = mha.layer.geometry.num_kv_heads = 0;
    return compare_variants(r, s, &mha, "h_kv = h", error);
}

static void make_identity(attn_linear *w) {
    memset(w->weight, 0, w->out * w->in * sizeof(float));
    memset(w->bias, 0, w->out * sizeof(float));
    for (size_t i = 0; i < w->out; i++)
        w->weight[i * w->in + i] = 1.0f;
}

static int latent_is_mha(identity_result *r, setting *s, attn_error *error) {
    attn_layer_free(&s->layer);
    s->geometry.latent_dim = s->geometry.d_model;
    if (attn_layer_create(&s->layer, s->variant, &s->geometry, s->seed, error))
        return -1;
    make_identity(&s->layer.k_expand);
    make_identity(&s->layer.v_expand);
    setting mha = *s;
    mha.variant = attn_variant_find("mha");
    mha.layer.k_proj = mha.layer.v_proj = s->layer.kv_compress;
    return compare_variants(r, s, &mha, "identity expansions", error);
}

/* A chunk sees the whole cache and itself: its rows equal those of a whole run that is masked where the chunk
 * ends. */
static int chunks(identity_result *r, setting *s, attn_error *error) {
    size_t d = s->geometry.d_model, step = s->frames / 5 + 1;
    int result = 0;
    s->batch = 1;
    float *chunked =
        run(s, (run_options){"scalar", ATTN_PATH_AUTO, step, s->lengths, ATTN_ELEMENT_F32}, error);
    for (size_t start = 0; chunked && !result && start < s->frames; start += step) {
        size_t end = attn_smaller(start + step, s->frames);
        size_t visible = attn_smaller(s->lengths[0], end);
        float *whole = run(s, (run_options){"scalar", ATTN_PATH_AUTO, 0, &visible, ATTN_ELEMENT_F32}, error);
        if (whole)
            record(r, s, "chunk", chunked + start * d, whole + start * d, (end - start) * d);
        result = whole ? 0 : -1;
        attn_free(whole);
    }
    attn_free(chunked);
    return chunked ? result : -1;
}

static double phi(double x) {
    return x > 0 ? x + 1 : exp(x);
}

static double project(const attn_linear *w, const float *x, size_t out) {
    double sum = (double)w->bias[out];
    for (size_t i = 0; i < w->in; i++)
        sum += (double)w->weight[out * w->in + i] * (double)x[i];
    return sum;
}

/* sum_j (phi(q_i) . phi(k_j)) v_j / (sum_j phi(q_i) . phi(k_j) + 1e-6), the T x T weights written out, before
 * out_proj. */
static void quadratic_context(const setting *s, double *context, size_t i) {
    size_t d = s->geometry.d_model, d_k = attn_head_dim(&s->geometry);
    for (size_t head = 0; head < s->geometry.num_heads; head++) {
        double below = 1e-6;
        memset(context + head * d_k, 0, d_k * sizeof(double));
        for (size_t j = 0; j < s->frames; j++) {
            double weight = 0;
            for (size_t a = head * d_k; a < (head + 1) * d_k; a++)
                weight += phi(project(&s->layer.q_proj, s->x + i * d, a)) *
                          phi(project(&s->layer.k_proj, s->x + j * d, a));
            for (size_t c = head * d_k; c < (head + 1) * d_k; c++)
                context[c] += weight * project(&s->layer.v_proj, s->x + j * d, c);
            below += weight;
        }
        for (size_t c = head * d_k; c < (head + 1) * d_k; c++)
            context[c] /= below;
    }
}

static int quadratic(identity_result *r, setting *s, attn_error *error) {
    size_t d = s->geometry.d_model;
    s->batch = 1;
    s->frames = attn_smaller(s->frames, 20); /* the form written out costs T^2 d_model^2 */
    float *linear = run(s, (run_options){"scalar", ATTN_PATH_AUTO, 0, NULL, ATTN_ELEMENT_F32}, error);
    float *written_out = attn_alloc(row_floats(s), sizeof(float), "quadratic form", error);
    double *context = attn_alloc(d, sizeof(double), "quadratic form", error);
    int result = linear && written_out && context ? 0 : -1;
    for (size_t i = 0; !result && i < s->frames; i++) {
        quadratic_context(s, context, i);
        for (size_t o = 0; o < d; o++) {
            double sum = (double)s->layer.out_proj.bias[o];
            for (size_t c = 0; c < d; c++)
                sum += (double)s->layer.out_proj.weight[o * d + c] * context[c];
            written_out[i * d + o] = (float)sum;
        }
    }
    if (!result)
        record(r, s, "quadratic form", linear, written_out, row_floats(s));
    attn_free(linear);
    attn_free(written_out);
    attn_free(context);
    return result;
}

static const struct identity {
    const char *text;
    const char *variant; /* NULL: all */
    bool every_isa;
    int (*check)(identity_result *r, setting *s, attn_error *error);
} identities[] = {
    {"each implementation = scalar reference (whole, chunked, with lengths)", NULL, true, implementations},
    {"chunked = whole under the same visibility", NULL, false, chunks},
    {"a rounded cache = the scalar reference over its rows", "mha", true, cache_types},
    {"a rounded cache = the scalar reference over its rows", "gqa", true, cache_types},
    {"a rounded cache = the scalar reference over its rows", "mla_simple", true, cache_types},
    {"a rounded cache = the scalar reference over its rows", "mla", true, cache_types},
    {"absorb = expand", "mla", false, paths},
    {"absorb = expand", "mla_simple", false, paths},
    {"identity expansions = attention over the latent", "mla_simple", false, latent_is_mha},
    {"h_kv = h is MHA", "gqa", false, gqa_is_mha},
    {"linear attention = its quadratic form", "linear", false, quadratic},
};

static int run_draws(const struct identity *identity, const attn_variant *variant, uint64_t seed,
                     size_t draws, identity_result *r, attn_error *error) {
    int result = 0;
    uint64_t random = seed;
    for (size_t i = 0; !result && i < draws; i++) {
        setting s;
        result = draw(&s, variant, &random, error) || identity->check(r, &s, error) ? -1 : 0;
        release(&s);
    }
    return result;
}

static int run_identity(const struct identity *identity, const attn_variant *variant, uint64_t seed,
                        size_t draws, identity_sink *sink, void *context, attn_error *error) {
    identity_result r = {
        .identity = identity->text, .model = "layer", .variant = variant->name, .limit = LIMIT, .ok = true};
    attn_isa before = attn_cpu_isa(), lowest = identity->every_isa ? ATTN_ISA_BASE : before;
    int result = 0;
    for (attn_isa isa = lowest; !result && isa <= before; isa++) {
        attn_cpu_use(isa);
        result = run_draws(identity, variant, seed, draws, &r, error);
    }
    attn_cpu_use(before);
    if (!result)
        sink(context, &r);
    return result;
}

int identities_run(uint64_t seed, size_t draws, identity_sink *sink, void *context, attn_error *error) {
    for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++)
        for (size_t v = 0; attn_variants[v]; v++)
            if ((!identities[i].variant || !strcmp(identities[i].variant, attn_variants[v]->name)) &&
                run_identity(&identities[i], attn_variants[v], seed, draws, sink, context, error))
                return -1;
    return 0;
}
