/* The kind encoder/<model>/<type>/<mode>: a whole encoder, one call. */
#include "bench/kind.h"
#include "bench/kinds/encoder_setup.h"
#include "bench/kinds/models.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

/* Sizes up to which no product overflows; the rest depends on what memory there is. */
enum { MOST_FRAMES = 1 << 22, MOST_WIDTH = 1 << 16 };
static const double FRAME_SECONDS = 0.01;

static bool is_prefill(const bench_case *c) {
    return c->where & BENCH_PREFILL;
}

static int find_word(const char *const *known, const char *word) {
    for (int i = 0; known[i]; i++)
        if (!strcmp(known[i], word))
            return i;
    return -1;
}

static int subject(bench_case *c, char *const *words, attn_error *error) {
    int model = find_word(attn_model_type_names, words[0]);
    if (model != ATTN_MODEL_CONFORMER && model != ATTN_MODEL_BRANCHFORMER)
        return attn_fail(error, "\"%s\": not an encoder, expected conformer or branchformer", words[0]);
    c->variant = attn_variant_find(words[1]);
    if (!c->variant)
        return attn_fail(error, "\"%s\": not a type of attention (attnbench bench --help names them)",
                         words[1]);
    c->model = (unsigned)model;
    snprintf(c->subject, sizeof c->subject, "%s/%s", words[0], words[1]);
    return models_read_mode(c, "encoder", words[2], error);
}

static void defaults(bench_case *c) {
    c->geometry.pos_enc = c->variant->is_softmax ? ATTN_POS_REL : ATTN_POS_ABS;
}

static int complete_frames(bench_case *c, attn_error *error) {
    const attn_config input = {.input_layer = (attn_input_layer)c->input};
    if (is_prefill(c)) {
        c->keys = c->queries = attn_output_frames(&input, c->frames);
        return c->keys ? 0 : attn_fail(error, "T: found %zu, expected at least 7 for conv2d", c->frames);
    }
    if (models_complete_queries(c, error))
        return -1;
    if ((c->left + 2) * c->queries > MOST_FRAMES)
        return attn_fail(error, "left: found %zu chunks of %zu frames, expected at most %d frames in all",
                         c->left, c->queries, MOST_FRAMES);
    c->keys = (c->left + 1) * c->queries;
    return 0;
}

static int complete_model(bench_case *c, attn_error *error) {
    const char *fault = NULL;
    attn_error inner = {0};
    attn_config config;
    const attn_geometry *g = &c->geometry;
    if (g->d_model > MOST_WIDTH || g->latent_dim > MOST_WIDTH)
        return attn_fail(error, "%s: found %zu, expected at most %d in an encoder",
                         g->d_model > MOST_WIDTH ? "d" : "dc",
                         g->d_model > MOST_WIDTH ? g->d_model : g->latent_dim, MOST_WIDTH);
    if (attn_geometry_complete(&c->geometry, c->variant, &fault, &inner))
        return attn_fail(error, "%s", inner.message);
    return encoder_config(&config, c, error);
}

static int complete(bench_case *c, attn_error *error) {
    c->batch = 1;
    if (complete_frames(c, error) || complete_model(c, error))
        return -1;
    return models_complete(c, error);
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    if (models_supported(c, error))
        return BENCH_UNSUPPORTED;
    encoder_setup *setup = attn_alloc(1, sizeof *setup, "set-up of a case", error);
    if (!setup)
        return -1;
    if (encoder_setup_init(setup, c, settings, error)) {
        attn_free(setup);
        return -1;
    }
    *state = setup;
    return 0;
}

static int check(void *state, bench_check *result, attn_error *error) {
    return encoder_check(state, result, error);
}

static void forget_times(void *state) {
    encoder_setup_rewind(state);
}

static void run(void *state) {
    encoder_setup_run(state);
}

static void run_parts(void *state, bench_part_hook *hook, void *context) {
    encoder_setup *s = state;
    s->watch = (bench_part_watch){hook, context, models_marks_attention(&s->row)};
    bench_parts_watch(&s->watch);
    encoder_setup_run(s);
    bench_parts_unwatch();
    s->watch = (bench_part_watch){0};
}

/* FLOPs of the last call: those of the run less those of the run without it. */
static double call_flops(const encoder_setup *s) {
    double all = attn_session_flops(s->session, s->input_frames, NULL);
    size_t taken = attn_frame_factor(s->row.input) * s->row.queries;
    size_t before = is_prefill(&s->row) ? 0 : s->input_frames - taken;
    return all - attn_session_flops(s->session, before, NULL);
}

static double audio_seconds(const bench_case *c) {
    return FRAME_SECONDS * (double)(is_prefill(c) ? c->frames : attn_frame_factor(c->input) * c->queries);
}

/* Weights, input, output and caches, each once. */
static double least_bytes(const encoder_setup *s) {
    const attn_config *config = attn_model_config(s->model);
    double inputs = audio_seconds(&s->row) / FRAME_SECONDS * (double)config->input_dim;
    double outputs = (double)s->row.queries * (double)config->attention.d_model;
    return (double)(attn_model_weight_bytes(s->model) + attn_session_kv_bytes_formula(s->session) +
                    attn_session_conv_bytes_formula(s->session)) +
           (inputs + outputs) * sizeof(float);
}

static void emit_parts(const encoder_setup *s, bench_emit_number *emit, void *to) {
    char name[48];
    for (size_t i = 0; attn_parts_are_marked && i < ATTN_PARTS && s->calls; i++) {
        snprintf(name, sizeof name, "part_%s", attn_part_names[i]);
        emit(to, name, s->seconds[i] / (double)s->calls);
    }
}

static void values(const void *state, double *cache_bytes, bench_emit_number *emit, void *to) {
    const encoder_setup *s = state;
    const bench_case *c = &s->row;
    *cache_bytes = (double)attn_session_kv_bytes_formula(s->session);
    emit(to, "flops", call_flops(s));
    emit(to, "bytes", least_bytes(s));
    emit(to, "kv_bytes_formula", *cache_bytes);
    emit(to, "kv_bytes_live", (double)attn_session_kv_bytes_live(s->session));
    emit(to, "conv_bytes_formula", (double)attn_session_conv_bytes_formula(s->session));
    emit(to, "conv_bytes_live", (double)attn_session_conv_bytes_live(s->session));
    emit(to, "audio_seconds", audio_seconds(c));
    emit(to, "parameters", (double)attn_model_parameters(s->model));
    if (c->variant->has_latent)
        emit(to, "path_run",
             attn_path_resolve(c->variant, &c->geometry, 1, c->queries, c->keys, c->path) ==
                 ATTN_PATH_ABSORB);
    emit_parts(s, emit, to);
}

static const float *output(const void *state, size_t *floats) {
    const encoder_setup *s = state;
    const attn_config *config = attn_model_config(s->model);
    *floats = attn_output_frames(config, s->input_frames) * config->attention.d_model;
    return s->out;
}

static int hand_over(void *state, struct peer_tensors *to, attn_error *error) {
    return encoder_setup_hand_over(state, to, error);
}

static float *answer(void *state) {
    encoder_setup *setup = state;
    return setup->answer;
}

static void release(void *state) {
    encoder_setup_free(state);
    attn_free(state);
}

const bench_kind_ops bench_encoder = {.kind = BENCH_ENCODER,
                                      .name = "encoder",
                                      .words = 3,
                                      .form = "encoder/<model>/<type>/<mode>/<key:value>/...",
                                      .subject = subject,
                                      .defaults = defaults,
                                      .complete = complete,
                                      .prepare = prepare,
                                      .check = check,
                                      .rewind = forget_times,
                                      .run = run,
                                      .run_parts = run_parts,
                                      .values = values,
                                      .output = output,
                                      .release = release,
                                      .hand_over = hand_over,
                                      .answer = answer};
