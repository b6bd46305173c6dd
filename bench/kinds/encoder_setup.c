#include "bench/kinds/encoder_setup.h"

#include "base/clock.h"
#include "bench/kinds/models.h"
#include "bench/peers/tensors.h"

#include "attn/alloc.h"
#include "attn/memory.h"
#include "attn/random.h"

#include <stdio.h>
#include <string.h>

/* The text goes through the reader of configuration files, so that what the row does not say is what such a
 * file means by not saying it. */
int encoder_config(attn_config *config, const bench_case *c, attn_error *error) {
    const attn_geometry *g = &c->geometry;
    bool branchformer = c->model == ATTN_MODEL_BRANCHFORMER, prefill = c->where & BENCH_PREFILL;
    char own[64] = "null", text[512], size[48] = "";
    if (c->variant->has_latent)
        snprintf(own, sizeof own, "{latent_dim: %zu}", g->latent_dim);
    else if (c->variant->has_kv_heads)
        snprintf(own, sizeof own, "{num_kv_heads: %zu}", g->num_kv_heads);
    if (c->input == ATTN_INPUT_NONE)
        snprintf(size, sizeof size, "input_dim: %zu\n", g->d_model);
    int length = snprintf(
        text, sizeof text,
        "model_type: %s\nattention_type: %s\nattention_kwargs: %s\nd_model: %zu\nnum_heads: %zu\n"
        "num_layers: %zu\nconv_kernel_size: %zu\ninput_layer: %s\npos_enc: %s\nkv_dtype: %s\ncausal: %s\n"
        "%s%s%s%s",
        attn_model_type_names[c->model], c->variant->name, own, g->d_model, g->num_heads, c->num_layers,
        c->conv_kernel_size, attn_input_layer_names[c->input], attn_pos_enc_names[g->pos_enc],
        attn_kv_dtype_names[c->kv], prefill ? "false" : "true", size, branchformer ? "merge_method: " : "",
        branchformer ? attn_merge_names[c->merge] : "", branchformer ? "\n" : "");
    return attn_config_parse(config, text, (size_t)length, "model", NULL, error);
}

static void mark_part(void *context, attn_part part) {
    encoder_setup *s = context;
    bench_parts_begin(&s->watch, part);
    double time = clock_now();
    s->seconds[s->part] += time - s->begun;
    s->begun = time;
    s->part = part;
}

static attn_session_options session_options(const encoder_setup *s) {
    const bench_case *c = &s->row;
    bool prefill = c->where & BENCH_PREFILL;
    return (attn_session_options){.batch = 1,
                                  .max_frames = s->input_frames,
                                  .chunk = prefill ? 0 : c->queries,
                                  .left_chunks = c->variant->forgets && !prefill ? (long)c->left : -1,
                                  .impl = models_impl_name(c),
                                  .path = c->path,
                                  .threads = s->threads,
                                  .keep_positions = true};
}

static int open_session(encoder_setup *s, attn_error *error) {
    attn_session_options options = session_options(s);
    options.part = mark_part;
    options.part_context = s;
    return attn_session_open(&s->session, s->model, &options, error);
}

/* One chunk beyond the first that has its whole left context: from there on every call slides the cache, if
 * it is one that slides. */
static size_t frames_of_run(const bench_case *c, const attn_config *config) {
    size_t calls = c->left + (c->variant->forgets ? 2 : 1);
    return c->where & BENCH_PREFILL ? c->frames : attn_input_frames(config, calls * c->queries);
}

int encoder_setup_init(encoder_setup *s, const bench_case *row, const bench_settings *settings,
                       attn_error *error) {
    attn_config config;
    uint64_t random = settings->seed + 1;
    *s = (encoder_setup){.row = *row, .seed = settings->seed, .threads = settings->threads};
    if (encoder_config(&config, row, error) || attn_model_create(&s->model, &config, error))
        return -1;
    s->input_frames = frames_of_run(row, &config);
    size_t inputs = s->input_frames * config.input_dim;
    s->x = attn_alloc(inputs, sizeof(float), "input", error);
    s->out = attn_alloc(attn_output_frames(&config, s->input_frames) * config.attention.d_model,
                        sizeof(float), "output", error);
    if (!s->x || !s->out || attn_memory_check((double)attn_alloc_live(), row->name, error))
        goto fail;
    attn_model_randomize(s->model, s->seed);
    if ((row->impl->packs && attn_model_pack(s->model, error)) || open_session(s, error))
        goto fail;
    attn_random_uniform(s->x, inputs, 1, &random);
    attn_session_run_end(s->session, s->out, s->x, s->input_frames);
    return 0;
fail:
    encoder_setup_free(s);
    return -1;
}

static int hand_caches(const encoder_setup *s, const attn_session *session, peer_tensors *to,
                       attn_error *error) {
    char prefix[32], name[40];
    size_t width, left = s->row.left * s->row.queries;
    int result = 0;
    for (size_t layer = 0; layer < attn_session_layers(session) && !result; layer++) {
        snprintf(prefix, sizeof prefix, "layers.%zu.", layer);
        snprintf(name, sizeof name, "%sconv", prefix);
        const float *rows = attn_session_conv(session, layer, &width);
        const size_t dims[] = {1, s->row.conv_kernel_size - 1, width};
        float *copy = rows ? peer_tensors_new(to, name, 3, dims, error) : NULL;
        if (copy)
            memcpy(copy, rows, dims[1] * width * sizeof *copy);
        result = rows && !copy
                     ? -1
                     : peer_tensors_add_cache(to, prefix, attn_session_cache(session, layer), left, error);
    }
    return result;
}

/* A stream on its way to the call that is timed. */
typedef struct stream {
    const encoder_setup *setup;
    attn_session *session;
    peer_tensors *to;
    attn_error *error;
    size_t frames; /* of output so far */
    int result;
} stream;

static void hand_state(void *context, size_t chunk, size_t frames) {
    stream *s = context;
    (void)chunk;
    s->frames += frames;
    if (s->frames == s->to->first)
        s->result = hand_caches(s->setup, s->session, s->to, s->error);
}

/* From the beginning: the state before the last call is handed over, the last call's output is expected. */
static int hand_stream(const encoder_setup *s, peer_tensors *to, attn_error *error) {
    stream run = {.setup = s, .to = to, .error = error, .result = -1};
    attn_session_options options = session_options(s);
    if (attn_session_open(&run.session, s->model, &options, error))
        return -1;
    attn_session_run(run.session, s->out, s->x, s->input_frames, NULL, hand_state, &run);
    attn_session_close(run.session);
    return run.result;
}

int encoder_setup_hand_over(encoder_setup *s, peer_tensors *to, attn_error *error) {
    const bench_case *c = &s->row;
    const attn_config *config = attn_model_config(s->model);
    bool prefill = c->where & BENCH_PREFILL;
    size_t d = c->geometry.d_model, all = attn_output_frames(config, s->input_frames),
           first = all - c->queries;
    size_t taken = attn_input_frames(config, c->queries);
    const size_t out[] = {1, c->queries, d}, in[] = {1, prefill ? s->input_frames : taken, config->input_dim};
    s->expected = attn_alloc(c->queries * d, sizeof(float), "expected output", error);
    s->answer = attn_alloc(c->queries * d, sizeof(float), "a peer's output", error);
    if (!s->expected || !s->answer)
        return -1;
    peer_tensors_set_output(to, 3, out);
    to->first = first;
    if (peer_tensors_add(to, "x", 3, in, s->x + (s->input_frames - in[1]) * config->input_dim, error) ||
        attn_model_tensors(s->model, peer_tensors_visit, to, error))
        return -1;
    if (first && hand_stream(s, to, error))
        return -1;
    memcpy(s->expected, s->out + first * d, c->queries * d * sizeof(float));
    return 0;
}

void encoder_setup_free(encoder_setup *s) {
    attn_session_close(s->session);
    attn_model_free(s->model);
    attn_free(s->x);
    attn_free(s->out);
    attn_free(s->expected);
    attn_free(s->answer);
    *s = (encoder_setup){0};
}

void encoder_setup_rewind(encoder_setup *s) {
    memset(s->seconds, 0, sizeof s->seconds);
    s->calls = 0;
}

void encoder_setup_run(encoder_setup *s) {
    bench_parts_begin(&s->watch, ATTN_PART_OTHER);
    s->part = ATTN_PART_OTHER;
    s->begun = clock_now();
    attn_session_repeat(s->session, s->out, s->x, s->input_frames);
    mark_part(s, ATTN_PART_OTHER);
    s->calls++;
}
