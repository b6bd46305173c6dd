/* What must always hold for whole encoders, on random ones. */
#include "harness/verify/encoder_draw.h"
#include "harness/verify/identities.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/random.h"
#include "attn/size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCH = 3 };

/* One random encoder and its input. */
typedef struct setting {
    attn_config config;
    attn_model *model;
    uint64_t seed;
    size_t frames, lengths[BATCH]; /* 0 too */
    float *x;                      /* [BATCH, frames, input_dim] */
    attn_session_options options;  /* chunk and left_chunks are drawn; the rest is the whole */
} setting;

static void release(setting *s) {
    attn_model_free(s->model);
    attn_free(s->x);
}

static int draw_input(setting *s, uint64_t *random, attn_error *error) {
    size_t dim = s->config.input_dim;
    s->frames = 8 + attn_random_below(random, 60);
    s->x = attn_alloc(BATCH * s->frames * dim, sizeof *s->x, "input", error);
    if (!s->x)
        return -1;
    attn_random_uniform(s->x, BATCH * s->frames * dim, 1.0f, random);
    for (size_t b = 0; b < BATCH; b++)
        s->lengths[b] = b ? attn_random_below(random, s->frames + 1) : s->frames;
    s->options = (attn_session_options){.batch = BATCH,
                                        .max_frames = s->frames,
                                        .chunk = 1 + attn_random_below(random, 12),
                                        .left_chunks = (long)attn_random_below(random, 4) - 1,
                                        .impl = "auto"};
    if (!s->config.variant->forgets && s->options.left_chunks > 0)
        s->options.left_chunks = 0;
    return 0;
}

static int draw(setting *s, attn_model_type model_type, const attn_variant *variant, uint64_t *random,
                attn_error *error) {
    *s = (setting){.seed = attn_random_next(random)};
    return encoder_draw(&s->config, model_type, variant, random, error) ? -1 : draw_input(s, random, error);
}

static int make_model(setting *s, attn_error *error) {
    return encoder_draw_model(&s->model, &s->config, s->seed, error);
}

static size_t out_floats(const setting *s, size_t frames) {
    return attn_output_frames(&s->config, frames) * s->config.attention.d_model;
}

/* The output [B, frames out, d_model], the caller's to free; NULL when memory is refused. */
static float *run(const setting *s, attn_session_options options, const float *x, size_t frames,
                  const size_t *lengths, attn_error *error) {
    attn_session *session;
    options.max_frames = frames;
    if (attn_session_open(&session, s->model, &options, error))
        return NULL;
    /* One float more: an utterance too short for the input layer gives none. */
    float *out = attn_alloc(options.batch * out_floats(s, frames) + 1, sizeof *out, "output", error);
    if (out)
        attn_session_run(session, out, x, frames, lengths, NULL, NULL);
    attn_session_close(session);
    return out;
}

/* ---- Comparing ---- */

static void record(identity_result *r, const setting *s, const char *what, const float *a, const float *b,
                   size_t n) {
    double worst = 0;
    for (size_t i = 0; i < n && !isnan(worst); i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= worst))
            worst = difference;
    }
    r->comparisons++;
    if (!(worst <= r->worst))
        r->worst = worst;
    if (worst <= r->limit || !r->ok)
        return;
    char text[256];
    encoder_draw_text(text, &s->config);
    r->ok = false;
    snprintf(r->where, sizeof r->where, "%.40s: %.300s, T %zu, chunk %zu, left %ld: %g", what, text,
             s->frames, s->options.chunk, s->options.left_chunks, worst);
}

static int compare_runs(identity_result *r, const setting *s, const char *what, attn_session_options a,
                        attn_session_options b, attn_error *error) {
    float *left = run(s, a, s->x, s->frames, s->lengths, error);
    float *right = left ? run(s, b, s->x, s->frames, s->lengths, error) : NULL;
    if (right)
        record(r, s, what, left, right, BATCH * out_floats(s, s->frames));
    attn_free(left);
    attn_free(right);
    return right ? 0 : -1;
}

/* ---- The identities ---- */

static int implementations(identity_result *r, setting *s, uint64_t *random, attn_error *error) {
    attn_session_options fast = s->options, scalar = s->options;
    scalar.impl = "scalar";
    if (attn_random_below(random, 2))
        fast.chunk = scalar.chunk = 0;
    int result = make_model(s, error);
    for (size_t i = 1; !result && i < ATTN_IMPLS && s->config.variant->impls[i].name; i++) {
        fast.impl = s->config.variant->impls[i].name;
        result = compare_runs(r, s, fast.impl, fast, scalar, error);
    }
    return result;
}

static int paths(identity_result *r, setting *s, uint64_t *random, attn_error *error) {
    (void)random;
    attn_session_options absorb = s->options, expand = s->options;
    absorb.path = ATTN_PATH_ABSORB;
    expand.path = ATTN_PATH_EXPAND;
    return make_model(s, error) || compare_runs(r, s, "absorb", absorb, expand, error) ? -1 : 0;
}

/* Each utterance alone, and in a batch whose padding is not even a number. */
static int padding(identity_result *r, setting *s, uint64_t *random, attn_error *error) {
    size_t dim = s->config.input_dim, total = out_floats(s, s->frames);
    attn_session_options options = s->options;
    if (attn_random_below(random, 2))
        options.chunk = 0;
    if (attn_random_below(random, 3) == 0)
        options.impl = "scalar";
    for (size_t b = 0; b < BATCH; b++)
        for (size_t i = s->lengths[b] * dim; i < s->frames * dim; i++)
            s->x[b * s->frames * dim + i] = NAN;
    if (make_model(s, error))
        return -1;
    float *together = run(s, options, s->x, s->frames, s->lengths, error);
    float *zeros = together ? attn_alloc(total, sizeof *zeros, "zeros", error) : NULL;
    int result = zeros ? 0 : -1;
    options.batch = 1;
    for (size_t b = 0; !result && b < BATCH; b++) {
        size_t valid = out_floats(s, s->lengths[b]);
        float *alone = run(s, options, s->x + b * s->frames * dim, s->lengths[b], NULL, error);
        if (alone) {
            record(r, s, "padding", together + b * total, alone, valid);
            record(r, s, "beyond the end", together + b * total + valid, zeros, total - valid);
        }
        result = alone ? 0 : -1;
        attn_free(alone);
    }
    attn_free(zeros);
    attn_free(together);
    return result;
}

/* A variant whose whole run attends as a stream does: chunk by chunk inside one call. Everything else of the
 * encoder sees the whole utterance at once. A variant's functions have no context, hence these. */
static size_t masked_chunk;
static long masked_left;
static const attn_variant *masked_variant;

static void masked_forward(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *whole,
                           void *workspace) {
    size_t d_model = layer->geometry.d_model;
    for (size_t t = 0; t < whole->frames; t += masked_chunk) {
        attn_call call = *whole;
        call.x = whole->x + t * d_model;
        call.frames = attn_smaller(whole->frames - t, masked_chunk);
        if (masked_left >= 0)
            attn_cache_keep(cache, (size_t)masked_left * masked_chunk);
        masked_variant->impls[0].forward(out + t * d_model, layer, cache, &call, workspace);
    }
}

attn_variant encoder_masked_variant(const attn_variant *variant, size_t chunk, long left_chunks) {
    attn_variant masked = *variant;
    masked_variant = variant;
    masked_chunk = chunk;
    masked_left = left_chunks;
    masked.impls[0].forward = masked_forward;
    return masked;
}

/* Causal convolutions with their caches, conv2d with its carried frames, positions that go on. Pooling
 * (learned_ave) covers a call, so that a stream of it is another model. */
static int streams(identity_result *r, setting *s, uint64_t *random, attn_error *error) {
    (void)random;
    s->config.causal = true;
    if (s->config.merge_method == ATTN_MERGE_LEARNED_AVE)
        s->config.merge_method = ATTN_MERGE_CONCAT;
    s->options.batch = 1;
    if (make_model(s, error))
        return -1;
    attn_variant variant =
        encoder_masked_variant(s->config.variant, s->options.chunk, s->options.left_chunks);
    setting whole = *s;
    whole.model = NULL;
    whole.config.variant = &variant;
    attn_session_options once = {.batch = 1, .left_chunks = -1, .impl = "scalar"};
    float *streamed = run(s, s->options, s->x, s->frames, NULL, error), *expected = NULL;
    if (streamed && !make_model(&whole, error))
        expected = run(&whole, once, s->x, s->frames, NULL, error);
    if (expected)
        record(r, s, "stream", streamed, expected, out_floats(s, s->frames));
    attn_free(streamed);
    attn_free(expected);
    attn_model_free(whole.model);
    return expected ? 0 : -1;
}

/* The same seed gives both the same weights: their tensors have the same names and shapes. */
static int gqa_is_mha(identity_result *r, setting *s, uint64_t *random, attn_error *error) {
    (void)random;
    s->config.attention.num_kv_heads = s->config.attention.num_heads;
    setting mha = *s;
    mha.model = NULL;
    mha.config.variant = attn_variant_find("mha");
    mha.config.attention.num_kv_heads = 0;
    if (make_model(s, error))
        return -1;
    float *expected = NULL, *out = run(s, s->options, s->x, s->frames, s->lengths, error);
    if (out && !make_model(&mha, error))
        expected = run(&mha, s->options, s->x, s->frames, s->lengths, error);
    if (expected)
        record(r, s, "h_kv = h", out, expected, BATCH * out_floats(s, s->frames));
    attn_free(out);
    attn_free(expected);
    attn_model_free(mha.model);
    return expected ? 0 : -1;
}

static const struct identity {
    const char *text;
    const char *variant; /* NULL: all */
    bool every_isa;
    double limit;
    int (*check)(identity_result *r, setting *s, uint64_t *random, attn_error *error);
} identities[] = {
    {"each implementation = scalar reference (whole, chunked, with lengths)", NULL, true, 1e-4,
     implementations},
    {"an utterance alone = in a padded batch", NULL, false, 1e-5, padding},
    {"streamed = whole under the same visibility", NULL, false, 1e-4, streams},
    {"absorb = expand", "mla", false, 1e-4, paths},
    {"absorb = expand", "mla_simple", false, 1e-4, paths},
    {"h_kv = h is MHA", "gqa", false, 1e-4, gqa_is_mha},
};

static int run_identity(const struct identity *identity, attn_model_type type, const attn_variant *variant,
                        uint64_t seed, size_t draws, identity_result *r, attn_error *error) {
    attn_isa before = attn_cpu_isa(), lowest = identity->every_isa ? ATTN_ISA_BASE : before;
    int result = 0;
    for (attn_isa isa = lowest; !result && isa <= before; isa++) {
        uint64_t random = seed;
        attn_cpu_use(isa);
        for (size_t i = 0; !result && i < draws; i++) {
            setting s;
            result =
                draw(&s, type, variant, &random, error) || identity->check(r, &s, &random, error) ? -1 : 0;
            release(&s);
        }
    }
    attn_cpu_use(before);
    return result;
}

static size_t variant_count(void) {
    size_t count = 0;
    while (attn_variants[count])
        count++;
    return count;
}

/* Lines go by identity, then by model, then by variant. */
size_t encoder_identity_lines(void) {
    return sizeof identities / sizeof identities[0] * 2 * variant_count();
}

int encoder_identity_run(size_t line, uint64_t seed, size_t draws, identity_result *r, attn_error *error) {
    size_t variants = variant_count();
    const struct identity *identity = &identities[line / (2 * variants)];
    attn_model_type type = line / variants % 2 ? ATTN_MODEL_BRANCHFORMER : ATTN_MODEL_CONFORMER;
    const attn_variant *variant = attn_variants[line % variants];
    *r = (identity_result){.ok = true};
    if (identity->variant && strcmp(identity->variant, variant->name))
        return 0;
    r->identity = identity->text;
    r->model = attn_model_type_names[type];
    r->variant = variant->name;
    r->limit = identity->limit;
    return run_identity(identity, type, variant, seed, draws, r, error);
}

int encoder_identities_run(uint64_t seed, size_t draws, identity_sink *sink, void *context,
                           attn_error *error) {
    for (size_t line = 0; line < encoder_identity_lines(); line++) {
        identity_result r;
        if (encoder_identity_run(line, attn_random_next(&seed), draws, &r, error))
            return -1;
        if (r.identity)
            sink(context, &r);
    }
    return 0;
}
