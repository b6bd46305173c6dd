#include "impl/model/session.h"

#include "attn/alloc.h"
#include "impl/encoder/encoder.h"
#include "impl/kernels/kernels.h"

#include <string.h>

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static bool adds_positions(const attn_config *config) {
    return config->attention.pos_enc == ATTN_POS_ABS;
}

/* The only row of a batch, and all rows of a whole call, are side by side in x and out already. */
static bool is_contiguous(const attn_session *session) {
    return session->options.batch == 1 || session->options.chunk == 0;
}

static int check_impl(attn_session *session, attn_error *error) {
    const attn_variant *variant = session->model->config.variant;
    const char *name = session->options.impl ? session->options.impl : "auto";
    session->impl = attn_impl_find(variant, name);
    if (!session->impl)
        return attn_fail(error, "impl: %s attention has no implementation %s, expected auto, scalar or blas",
                         variant->name, name);
    session->is_scalar = !strcmp(session->impl->name, "scalar");
    return 0;
}

static int check_options(const attn_session_options *options, const attn_config *config, attn_error *error) {
    if (!options->batch)
        return attn_fail(error, "batch: found 0 utterances, expected at least 1");
    if (options->left_chunks < -1)
        return attn_fail(error, "left_chunks: found %ld, expected -1 (all) or more", options->left_chunks);
    if (options->chunk && options->left_chunks > 0 && !config->variant->forgets)
        return attn_fail(
            error,
            "left_chunks: found %ld, but the state of %s attention cannot forget some frames; expected -1 "
            "(keep all) or 0 (keep none)",
            options->left_chunks, config->variant->name);
    if (options->logits && !config->vocab_size)
        return attn_fail(error, "logits: the model has no output layer (vocab_size is 0)");
    return 0;
}

/* Frames of each call and of the cache. */
static int plan_frames(attn_session *session, attn_error *error) {
    const attn_session_options *options = &session->options;
    size_t frames = attn_output_frames(&session->model->config, options->max_frames), kept;
    session->max_frames = frames;
    session->call_frames = options->chunk ? smaller(options->chunk, frames) : frames;
    session->capacity = frames;
    if (options->chunk && options->left_chunks >= 0 &&
        !attn_multiply(&kept, (size_t)options->left_chunks + 1, options->chunk))
        session->capacity = smaller(frames, kept);
    size_t floats, width = larger(session->model->config.vocab_size, session->model->config.input_dim);
    width = larger(width, session->model->config.attention.d_model);
    if (attn_multiply(&floats, frames, options->batch) || attn_multiply(&floats, floats, width) ||
        attn_multiply(&floats, floats, 64))
        return attn_fail(error, "max_frames: %zu frames of %zu utterances do not fit the address space",
                         options->max_frames, options->batch);
    return 0;
}

static int allocate_floats(float **block, size_t count, const char *what, attn_error *error) {
    *block = attn_alloc(count, sizeof(float), what, error);
    return *block ? 0 : -1;
}

static int open_caches(attn_session *session, attn_error *error) {
    const attn_config *config = &session->model->config;
    session->caches = attn_alloc(config->num_layers, sizeof *session->caches, "caches", error);
    if (!session->caches)
        return -1;
    for (size_t i = 0; i < config->num_layers; i++)
        if (attn_cache_init(&session->caches[i], config->variant, &config->attention, session->options.batch,
                            session->capacity, error))
            return -1;
    return 0;
}

/* Queries of a call are at most call_frames - 1 before a key and capacity - 1 after it. */
static int open_positions(attn_session *session, attn_error *error) {
    const attn_geometry *g = &session->model->config.attention;
    size_t count = session->max_frames;
    if (g->pos_enc == ATTN_POS_NONE || !count)
        return 0;
    if (g->pos_enc == ATTN_POS_REL) {
        session->positions_origin = session->call_frames - 1;
        count = session->positions_origin + session->capacity;
    }
    if (allocate_floats(&session->positions, count * g->d_model, "positions", error))
        return -1;
    attn_positions(session->positions, -(long)session->positions_origin, count, g->d_model);
    return 0;
}

static size_t attention_floats(const attn_session *session) {
    size_t floats = 0;
    for (attn_path path = ATTN_PATH_AUTO; path <= ATTN_PATH_ABSORB; path++)
        if (path == ATTN_PATH_AUTO || session->options.path == ATTN_PATH_AUTO ||
            path == session->options.path)
            floats = larger(floats, session->impl->workspace(&session->model->config.attention,
                                                             session->options.batch, session->call_frames,
                                                             session->capacity, path));
    return floats;
}

static int open_workspace(attn_session *session, attn_error *error) {
    const attn_config *config = &session->model->config;
    size_t rows = session->options.batch * session->call_frames, d_model = config->attention.d_model;
    bool contiguous = is_contiguous(session), several = config->num_layers > 1;
    if (!contiguous &&
        (allocate_floats(&session->input, rows * config->input_dim, "workspace", error) ||
         allocate_floats(&session->output, rows * attn_session_width(session), "workspace", error)))
        return -1;
    if (session->options.logits && allocate_floats(&session->hidden, rows * d_model, "workspace", error))
        return -1;
    bool in_place = several || adds_positions(config) || config->input_layer != ATTN_INPUT_NONE;
    if (in_place && allocate_floats(&session->mixed, rows * d_model, "workspace", error))
        return -1;
    return allocate_floats(&session->workspace, attention_floats(session), "workspace", error);
}

int attn_session_open(attn_session **opened, attn_model *model, const attn_session_options *options,
                      attn_error *error) {
    *opened = NULL;
    if (check_options(options, &model->config, error))
        return -1;
    attn_session *session = attn_alloc(1, sizeof *session, "session", error);
    if (!session)
        return -1;
    session->model = model;
    session->options = *options;
    if (check_impl(session, error) || plan_frames(session, error) || open_caches(session, error) ||
        open_positions(session, error) || open_workspace(session, error)) {
        attn_session_close(session);
        return -1;
    }
    *opened = session;
    return 0;
}

void attn_session_close(attn_session *session) {
    if (!session)
        return;
    for (size_t i = 0; session->caches && i < session->model->config.num_layers; i++)
        attn_cache_free(&session->caches[i]);
    attn_free(session->caches);
    attn_free(session->positions);
    attn_free(session->input);
    attn_free(session->output);
    attn_free(session->hidden);
    attn_free(session->mixed);
    attn_free(session->workspace);
    attn_free(session);
}

static void apply_linear(const attn_session *session, float *y, const float *x, const attn_linear *w,
                         size_t rows) {
    (session->is_scalar ? attn_linear_scalar : attn_linear_blas)(y, w->out, x, w->in, w, rows);
}

static void add(float *x, const float *y, size_t count) {
    for (size_t i = 0; i < count; i++)
        x[i] += y[i];
}

/* Copies rows of each utterance between [B, total, width] at `first` and [B, frames, width]. */
static void gather_rows(float *packed, const float *x, size_t batch, size_t total, size_t first,
                        size_t frames, size_t width) {
    for (size_t b = 0; b < batch; b++)
        memcpy(packed + b * frames * width, x + (b * total + first) * width, frames * width * sizeof(float));
}

static void scatter_rows(float *x, const float *packed, size_t batch, size_t total, size_t first,
                         size_t frames, size_t width) {
    for (size_t b = 0; b < batch; b++)
        memcpy(x + (b * total + first) * width, packed + b * frames * width, frames * width * sizeof(float));
}

/* h [B, frames, d_model] = x through the input layer, with positions added. */
static void embed(const attn_session *session, float *h, const float *x, size_t first, size_t frames) {
    const attn_config *config = &session->model->config;
    size_t batch = session->options.batch, d_model = config->attention.d_model;
    if (config->input_layer == ATTN_INPUT_NONE)
        memcpy(h, x, batch * frames * d_model * sizeof(float));
    else
        apply_linear(session, h, x, &session->model->embed.out, batch * frames);
    if (session->model->embed.has_norm)
        attn_layer_norm_scalar(h, h, &session->model->embed.norm, batch * frames, config->layer_norm_eps);
    for (size_t b = 0; adds_positions(config) && b < batch; b++)
        add(h + b * frames * d_model, session->positions + first * d_model, frames * d_model);
}

static void attend(attn_session *session, float *out, size_t layer, const float *x, size_t frames,
                   const size_t *lengths) {
    attn_cache *cache = &session->caches[layer];
    const attn_call call = {.x = x,
                            .batch = session->options.batch,
                            .frames = frames,
                            .lengths = lengths,
                            .path = session->options.path,
                            .positions = session->positions,
                            .positions_origin = session->positions_origin};
    if (session->options.chunk && session->options.left_chunks >= 0)
        attn_cache_keep(cache, (size_t)session->options.left_chunks * session->options.chunk);
    session->impl->forward(out, &session->model->blocks[layer].attention, cache, &call, session->workspace);
    session->widest = larger(session->widest, cache->length);
}

/* One layer: h = attn(x). Several: x = x + attn(x) in each. */
static void run_attention(attn_session *session, float *h, const float *x, size_t first, size_t frames,
                          const size_t *lengths) {
    const attn_config *config = &session->model->config;
    size_t count = session->options.batch * frames * config->attention.d_model;
    bool is_embedded = config->input_layer != ATTN_INPUT_NONE || adds_positions(config);
    if (config->num_layers == 1) {
        if (is_embedded)
            embed(session, session->mixed, x, first, frames);
        attend(session, h, 0, is_embedded ? session->mixed : x, frames, lengths);
        return;
    }
    embed(session, h, x, first, frames);
    for (size_t layer = 0; layer < config->num_layers; layer++) {
        attend(session, session->mixed, layer, h, frames, lengths);
        add(h, session->mixed, count);
    }
}

/* One call: x [B, frames, input_dim] to out [B, frames, width]. */
static void run_call(attn_session *session, float *out, const float *x, size_t first, size_t frames,
                     const size_t *lengths) {
    size_t rows = session->options.batch * frames;
    run_attention(session, session->hidden ? session->hidden : out, x, first, frames, lengths);
    if (session->options.logits)
        apply_linear(session, out, session->hidden, &session->model->ctc, rows);
}

void attn_session_run(attn_session *session, float *out, const float *x, size_t frames, const size_t *lengths,
                      attn_chunk_hook *hook, void *context) {
    const attn_config *config = &session->model->config;
    size_t batch = session->options.batch, width = attn_session_width(session);
    size_t total = attn_output_frames(config, frames);
    for (size_t i = 0; i < config->num_layers; i++)
        attn_cache_reset(&session->caches[i]);
    for (size_t first = 0, index = 0; first < total; first += session->call_frames, index++) {
        size_t count = smaller(session->call_frames, total - first);
        if (is_contiguous(session)) {
            run_call(session, out + first * width, x + first * config->input_dim, first, count, lengths);
        } else {
            gather_rows(session->input, x, batch, frames, first, count, config->input_dim);
            run_call(session, session->output, session->input, first, count, lengths);
            scatter_rows(out, session->output, batch, total, first, count, width);
        }
        if (hook)
            hook(context, index, count);
    }
}

size_t attn_session_width(const attn_session *session) {
    const attn_config *config = &session->model->config;
    return session->options.logits ? config->vocab_size : config->attention.d_model;
}

size_t attn_session_layers(const attn_session *session) {
    return session->model->config.num_layers;
}

const attn_cache *attn_session_cache(const attn_session *session, size_t layer) {
    return &session->caches[layer];
}

size_t attn_session_kv_bytes_live(const attn_session *session) {
    size_t bytes = 0;
    for (size_t i = 0; i < attn_session_layers(session); i++)
        bytes += attn_cache_bytes_live(&session->caches[i]);
    return bytes;
}

size_t attn_session_kv_bytes_formula(const attn_session *session) {
    const attn_config *config = &session->model->config;
    size_t frames = session->widest ? session->widest : session->capacity;
    return config->num_layers *
           config->variant->cache_bytes(&config->attention, session->options.batch, frames, sizeof(float));
}

size_t attn_session_workspace_bytes(const attn_session *session) {
    return attn_alloc_size(session->positions) + attn_alloc_size(session->input) +
           attn_alloc_size(session->output) + attn_alloc_size(session->hidden) +
           attn_alloc_size(session->mixed) + attn_alloc_size(session->workspace);
}
