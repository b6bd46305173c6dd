/* The comparison of a whole encoder with the scalar reference before anything is timed. */
#include "bench/kinds/encoder_setup.h"
#include "bench/kinds/models.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/random.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-4
enum { NARROW_HEAD = 8, LEAST_CHUNKS = 3, LEAST_FRAMES = 4 };

/* What both implementations run. */
typedef struct trial {
    const char *about;
    attn_model *model;
    const attn_config *config;
    attn_session_options options;
    size_t frames; /* after the input layer */
    double budget; /* FLOPs that the reference may take */
} trial;

static bool is_stream(const trial *t) {
    return t->options.chunk != 0;
}

static attn_session *open_trial(const trial *t, const char *impl, attn_error *error) {
    attn_session_options options = t->options;
    attn_session *session;
    options.impl = impl;
    if (!strcmp(impl, "scalar"))
        options.threads = NULL;
    options.max_frames = attn_input_frames(t->config, t->frames);
    return attn_session_open(&session, t->model, &options, error) ? NULL : session;
}

/* Fewer frames, and of a stream shorter chunks and less left context, until the reference can afford it. */
static int fit_budget(trial *t, attn_error *error) {
    attn_session *session = open_trial(t, "scalar", error);
    if (!session)
        return -1;
    double each =
        attn_session_flops(session, attn_input_frames(t->config, t->frames), NULL) / (double)t->frames;
    attn_session_close(session);
    size_t most = (size_t)fmin(fmax(LEAST_FRAMES, t->budget / each), (double)t->frames);
    if (!is_stream(t)) {
        t->frames = most;
        return 0;
    }
    size_t *chunk = &t->options.chunk;
    *chunk = *chunk * LEAST_CHUNKS > most ? (most + LEAST_CHUNKS - 1) / LEAST_CHUNKS : *chunk;
    size_t chunks = most / *chunk > LEAST_CHUNKS ? most / *chunk : LEAST_CHUNKS;
    t->frames = chunks * *chunk;
    if (t->options.left_chunks > (long)chunks - 2) /* so that the cache slides in the last call */
        t->options.left_chunks = (long)chunks - 2;
    return 0;
}

static float *run_trial(const trial *t, const char *impl, const float *x, attn_error *error) {
    size_t inputs = attn_input_frames(t->config, t->frames);
    float *out = attn_alloc(t->frames * t->config->attention.d_model, sizeof *out, "output compared", error);
    attn_session *session = out ? open_trial(t, impl, error) : NULL;
    if (session)
        attn_session_run(session, out, x, inputs, NULL, NULL, NULL);
    attn_session_close(session);
    if (session)
        return out;
    attn_free(out);
    return NULL;
}

/* A number in the middle between two of the cache's type is rounded to either of them, whichever rounding error it
 * came with, and the layers that follow carry that on. */
static double tolerance_of(const trial *t) {
    return TOLERANCE + attn_element_rounding(t->config->kv_dtype);
}

static void compare(bench_check *check, const trial *t, const float *found, const float *expected) {
    size_t n = t->frames * t->config->attention.d_model;
    double largest = attn_compare(expected, expected, n, 0.0, 0.0).max_b, limit = tolerance_of(t) * largest;
    attn_difference d = attn_compare(found, expected, n, limit, 0.0);
    check->rows += t->frames;
    /* The comparison that comes closer to its limit is the one that is reported. */
    if (!check->limit || !d.ok || d.max_abs / limit > check->max_error / check->limit) {
        check->max_error = d.max_abs;
        check->limit = limit;
    }
    check->ok = d.ok;
    if (!d.ok)
        snprintf(check->what, sizeof check->what,
                 "%s differs from the scalar reference by %g, expected at most %g (%zu frames compared)",
                 t->about, d.max_abs, check->limit, t->frames);
}

static int run_both(bench_check *check, trial *t, const encoder_setup *s, attn_error *error) {
    uint64_t random = s->seed + 2;
    if (fit_budget(t, error))
        return -1;
    size_t inputs = attn_input_frames(t->config, t->frames) * t->config->input_dim;
    float *x = attn_alloc(inputs, sizeof *x, "input compared", error), *found = NULL, *expected = NULL;
    if (x) {
        attn_random_uniform(x, inputs, 1, &random);
        found = run_trial(t, models_impl_name(&s->row), x, error);
        expected = found ? run_trial(t, "scalar", x, error) : NULL;
    }
    if (expected)
        compare(check, t, found, expected);
    attn_free(x);
    attn_free(found);
    attn_free(expected);
    return expected ? 0 : -1;
}

static trial make_trial(const encoder_setup *s, attn_model *model, const char *about) {
    const bench_case *c = &s->row;
    bool prefill = c->where & BENCH_PREFILL;
    trial t = {.about = about,
               .model = model,
               .config = attn_model_config(model),
               .options = {.batch = 1,
                           .chunk = prefill ? 0 : c->queries,
                           .left_chunks = prefill || !c->variant->forgets ? -1 : (long)c->left,
                           .path = c->path,
                           .threads = s->threads},
               .budget = ENCODER_CHECK_FLOPS};
    t.frames = prefill ? c->keys : (c->left + 2) * c->queries;
    return t;
}

/* One layer of the row's model, with heads that are no wider than a few channels. */
static int make_narrow(attn_model **model, const encoder_setup *s, attn_error *error) {
    bench_case c = s->row;
    attn_config config;
    size_t head = attn_head_dim(&c.geometry);
    if (head > NARROW_HEAD) {
        c.geometry.d_model = c.geometry.num_heads * NARROW_HEAD;
        c.geometry.latent_dim = (c.geometry.latent_dim * NARROW_HEAD + head - 1) / head;
    }
    c.num_layers = 1;
    if (encoder_config(&config, &c, error) || attn_model_create(model, &config, error))
        return -1;
    attn_model_randomize(*model, s->seed + 3);
    return 0;
}

/* Compares a peer's output with ours of the same call. */
static void compare_answer(bench_check *check, const encoder_setup *s) {
    size_t n = s->row.queries * s->row.geometry.d_model;
    double limit = TOLERANCE * attn_compare(s->expected, s->expected, n, 0.0, 0.0).max_b;
    attn_difference d = attn_compare(s->answer, s->expected, n, limit, 0.0);
    *check = (bench_check){d.ok, d.max_abs, limit, check->rows + s->row.queries, ""};
    if (!d.ok)
        snprintf(check->what, sizeof check->what,
                 "output differs from that of our implementation by %g, expected at most %g", d.max_abs,
                 limit);
}

int encoder_check(const encoder_setup *s, bench_check *check, attn_error *error) {
    attn_model *narrow = NULL;
    trial t = make_trial(s, s->model, "output");
    *check = (bench_check){0};
    int result = run_both(check, &t, s, error);
    if (!result && check->ok)
        result = make_narrow(&narrow, s, error);
    if (!result && check->ok) {
        t = make_trial(s, narrow, "the output of a narrow model");
        result = run_both(check, &t, s, error);
    }
    if (!result && check->ok && s->answer)
        compare_answer(check, s);
    attn_model_free(narrow);
    return result;
}
