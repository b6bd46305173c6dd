/* The kind encoder/<model>/<type>/<mode>: a whole encoder, one call. */
#include "bench/encoder_setup.h"
#include "bench/kind.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

static const char *const modes[] = {"prefill", "chunk", "decode", NULL};
enum { PREFILL, CHUNK, DECODE };

/* Sizes up to which no product overflows; what memory there is tells the rest. */
enum { MOST_FRAMES = 1 << 22, MOST_CHUNKS = 1 << 16, MOST_WIDTH = 1 << 16, MOST_LAYERS = 1024 };
static const double FRAME_SECONDS = 0.01;

static bool is_prefill(const bench_case *c) {
    return !strcmp(c->mode, modes[PREFILL]);
}

static bool is_stream(const bench_case *c) {
    return !is_prefill(c);
}

static bool takes_kv_heads(const bench_case *c) {
    return c->variant->has_kv_heads;
}

static bool takes_latent(const bench_case *c) {
    return c->variant->has_latent;
}

static bool takes_merge(const bench_case *c) {
    return c->model == ATTN_MODEL_BRANCHFORMER;
}

static const char *input_choice(const bench_case *c, size_t i) {
    (void)c;
    return attn_input_layer_names[i];
}

static const char *merge_choice(const bench_case *c, size_t i) {
    (void)c;
    return attn_merge_names[i];
}

static const char *pos_choice(const bench_case *c, size_t i) {
    (void)c;
    return attn_pos_enc_names[i];
}

static const char *path_choice(const bench_case *c, size_t i) {
    (void)c;
    return attn_path_names[i];
}

static const bench_key keys[] = {
    {.name = "T", .offset = offsetof(bench_case, frames), .most = MOST_FRAMES, .applies = is_prefill},
    {.name = "q", .offset = offsetof(bench_case, queries), .most = MOST_FRAMES, .applies = is_stream},
    {.name = "left",
     .offset = offsetof(bench_case, left),
     .fallback = 8,
     .most = MOST_CHUNKS,
     .from_zero = true,
     .applies = is_stream},
    {.name = "layers", .offset = offsetof(bench_case, num_layers), .fallback = 12, .most = MOST_LAYERS},
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
    {.name = "k",
     .offset = offsetof(bench_case, conv_kernel_size),
     .fallback = 31,
     .most = MOST_WIDTH,
     .quiet = true},
    {.name = "input", .offset = offsetof(bench_case, input), .choice = input_choice},
    {.name = "merge", .offset = offsetof(bench_case, merge), .choice = merge_choice, .applies = takes_merge},
    {.name = "pos", .offset = offsetof(bench_case, geometry.pos_enc), .choice = pos_choice},
    {.name = "path", .offset = offsetof(bench_case, path), .choice = path_choice, .applies = takes_latent},
    {.name = "impl", .offset = offsetof(bench_case, impl_choice), .choice = bench_impl_choice},
    {.name = NULL}};

static int find_word(const char *const *known, const char *word) {
    for (int i = 0; known[i]; i++)
        if (!strcmp(known[i], word))
            return i;
    return -1;
}

static int subject(bench_case *c, char *const *words, attn_error *error) {
    int model = find_word(attn_model_type_names, words[0]), mode = find_word(modes, words[2]);
    if (model != ATTN_MODEL_CONFORMER && model != ATTN_MODEL_BRANCHFORMER)
        return attn_fail(error, "\"%s\": not an encoder, expected conformer or branchformer", words[0]);
    c->variant = attn_variant_find(words[1]);
    if (!c->variant)
        return attn_fail(error, "\"%s\": not a type of attention (attnbench bench --help names them)",
                         words[1]);
    if (mode < 0)
        return attn_fail(error, "\"%s\": not a mode, expected one of prefill, chunk, decode", words[2]);
    c->model = (unsigned)model;
    c->input = ATTN_INPUT_CONV2D;
    c->geometry.pos_enc = c->variant->is_softmax ? ATTN_POS_REL : ATTN_POS_ABS;
    snprintf(c->subject, sizeof c->subject, "%s/%s", words[0], words[1]);
    snprintf(c->mode, sizeof c->mode, "%s", modes[mode]);
    return 0;
}

static int complete_frames(bench_case *c, attn_error *error) {
    const attn_config input = {.input_layer = (attn_input_layer)c->input};
    if (is_prefill(c)) {
        if (!c->frames)
            return attn_fail(error, "T: missing, expected the number of input frames");
        c->keys = c->queries = attn_output_frames(&input, c->frames);
        return c->keys ? 0 : attn_fail(error, "T: found %zu, expected at least 7 for conv2d", c->frames);
    }
    bool decode = !strcmp(c->mode, modes[DECODE]);
    if (!c->queries)
        c->queries = decode ? 1 : 16;
    if (decode && c->queries != 1)
        return attn_fail(error, "q: found %zu, expected 1, as decode takes one frame (chunk takes more)",
                         c->queries);
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
    if (attn_geometry_complete(&c->geometry, c->variant, &fault, &inner))
        return attn_fail(error, "%s", inner.message);
    return encoder_config(&config, c, error);
}

static int complete(bench_case *c, attn_error *error) {
    c->batch = 1;
    if (complete_frames(c, error) || complete_model(c, error))
        return -1;
    return bench_impl_complete(c, error);
}

static int prepare(void **state, const bench_case *c, const bench_settings *settings, attn_error *error) {
    if (bench_impl_supported(c, error))
        return BENCH_UNSUPPORTED;
    encoder_setup *setup = attn_alloc(1, sizeof *setup, "set-up of a case", error);
    if (!setup)
        return -1;
    if (encoder_setup_init(setup, c, settings->seed, error)) {
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

static void run_parts(void *state, attn_part_hook *hook, void *context) {
    encoder_setup *s = state;
    s->watch = hook;
    s->watch_context = context;
    encoder_setup_run(s);
    s->watch = NULL;
}

/* FLOPs of the last call: those of the run less those of the run without it. */
static double call_flops(const encoder_setup *s) {
    double all = attn_session_flops(s->session, s->input_frames, NULL);
    size_t factor = s->row.input == ATTN_INPUT_CONV2D ? 4 : 1;
    size_t before = is_prefill(&s->row) ? 0 : s->input_frames - factor * s->row.queries;
    return all - attn_session_flops(s->session, before, NULL);
}

static double audio_seconds(const bench_case *c) {
    size_t factor = c->input == ATTN_INPUT_CONV2D ? 4 : 1;
    return FRAME_SECONDS * (double)(is_prefill(c) ? c->frames : factor * c->queries);
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

static void release(void *state) {
    encoder_setup_free(state);
    attn_free(state);
}

const bench_kind_ops bench_encoder = {.name = "encoder",
                                      .words = 3,
                                      .form = "encoder/<model>/<type>/<mode>/<key:value>/...",
                                      .keys = keys,
                                      .subject = subject,
                                      .complete = complete,
                                      .prepare = prepare,
                                      .check = check,
                                      .rewind = forget_times,
                                      .run = run,
                                      .run_parts = run_parts,
                                      .values = values,
                                      .release = release};
