#include "impl/model/session.h"

#include "attn/alloc.h"
#include "attn/memory.h"

#include <string.h>

bool attn_streams(const attn_session *session) {
    return session->options.chunk != 0;
}

bool attn_streams_conv(const attn_session *session) {
    const attn_config *config = &session->model->config;
    return attn_streams(session) && config->causal && config->conv_kernel_size > 1 &&
           (config->model_type == ATTN_MODEL_CONFORMER || attn_uses_cgmlp(config));
}

bool attn_streams_conv2d(const attn_session *session) {
    return attn_streams(session) && session->model->config.input_layer == ATTN_INPUT_CONV2D;
}

bool attn_adds_positions(const attn_config *config) {
    return config->attention.pos_enc == ATTN_POS_ABS;
}

bool attn_session_is_contiguous(const attn_session *session) {
    return session->options.batch == 1 || !attn_streams(session);
}

size_t attn_session_conv_floats(const attn_session *session) {
    const attn_config *config = &session->model->config;
    return session->options.batch * (config->conv_kernel_size - 1) * attn_conv_cache_width(config);
}

size_t attn_session_input_frames(const attn_config *config, size_t frames, size_t consumed) {
    if (config->input_layer != ATTN_INPUT_CONV2D)
        return frames;
    return SUBSAMPLING_STEP * frames + (consumed ? 0 : SUBSAMPLING_CARRY);
}

static int check_impl(attn_session *session, attn_error *error) {
    const attn_variant *variant = session->model->config.variant;
    const char *name = session->options.impl ? session->options.impl : "auto";
    session->impl = attn_impl_find(variant, name);
    if (!session->impl)
        return attn_fail(error,
                         "impl: %s attention has no implementation %s, expected auto, scalar, blas, base, "
                         "avx2 or avx512",
                         variant->name, name);
    session->isa = attn_impl_isa(name);
    attn_error inner = {0};
    if (strcmp(session->impl->name, name) && strcmp(name, "auto") && attn_cpu_has(session->isa, &inner))
        return attn_fail(error, "impl: %s", inner.message);
    session->ops = strcmp(session->impl->name, "scalar") ? &attn_encoder_fast : &attn_encoder_scalar;
    return 0;
}

static int check_options(const attn_session_options *options, const attn_config *config, attn_error *error) {
    if (!options->batch)
        return attn_fail(error, "batch: found 0 utterances, expected at least 1");
    if (options->left_chunks < -1)
        return attn_fail(error, "left_chunks: found %ld, expected -1 (all) or more", options->left_chunks);
    if (options->chunk && options->left_chunks > 0 && !config->variant->forgets)
        return attn_fail(error,
                         "left_chunks: found %ld, but the state of %s attention cannot forget some frames; "
                         "expected -1 (keep all) or 0 (keep none)",
                         options->left_chunks, config->variant->name);
    if (options->one_cache && (options->chunk || config->latent_dims[0]))
        return attn_fail(error,
                         "one_cache: layers of one size in whole calls can share a cache, others cannot");
    if (options->logits && !config->vocab_size)
        return attn_fail(error, "logits: the model has no output layer (vocab_size is 0)");
    return 0;
}

/* Frames of each call and of the cache. The largest product of sizes is checked here, once. */
static int plan_frames(attn_session *session, attn_error *error) {
    const attn_session_options *options = &session->options;
    const attn_config *config = &session->model->config;
    size_t frames = attn_output_frames(config, options->max_frames), kept, floats;
    session->max_frames = frames;
    session->call_frames = options->chunk ? attn_smaller(options->chunk, frames) : frames;
    session->capacity = frames;
    if (options->chunk && options->left_chunks >= 0 &&
        !attn_multiply(&kept, (size_t)options->left_chunks + 1, options->chunk))
        session->capacity = attn_smaller(frames, kept);
    size_t width = attn_larger(attn_larger(config->vocab_size, config->input_dim), config->attention.d_model);
    width = attn_larger(width, attn_larger(config->ff_units, config->cgmlp_units));
    if (attn_add(&floats, attn_larger(frames, options->max_frames), config->conv_kernel_size) ||
        attn_multiply(&floats, floats, options->batch) || attn_multiply(&floats, floats, width) ||
        attn_multiply(&floats, floats, 256))
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
    size_t batch = session->options.batch, floats;
    session->caches = attn_alloc(config->num_layers, sizeof *session->caches, "caches", error);
    if (!session->caches)
        return -1;
    size_t caches = !attn_uses_attention(config) ? 0 : session->options.one_cache ? 1 : config->num_layers;
    for (size_t i = 0; i < caches; i++) {
        attn_geometry g = attn_config_geometry(config, i);
        if (attn_cache_init(&session->caches[i], config->variant, &g, batch, session->capacity, error))
            return -1;
    }
    if (attn_multiply(&floats, config->num_layers, attn_session_conv_floats(session)))
        return attn_fail(error, "convolution cache: does not fit the address space");
    if (attn_streams_conv(session) && allocate_floats(&session->conv, floats, "convolution cache", error))
        return -1;
    return attn_streams_conv2d(session)
               ? allocate_floats(&session->carry, batch * SUBSAMPLING_CARRY * config->input_dim,
                                 "subsampling cache", error)
               : 0;
}

/* A query is less than capacity frames from any key. */
static int open_positions(attn_session *session, attn_error *error) {
    const attn_geometry *g = &session->model->config.attention;
    size_t frames = session->max_frames;
    if (g->pos_enc == ATTN_POS_NONE || !frames)
        return 0;
    if (g->pos_enc != ATTN_POS_ABS)
        return attn_sinusoids_init(
            &session->sinusoids, g->pos_enc == ATTN_POS_REL ? session->capacity : frames, g->d_model, error);
    if (attn_memory_check((double)frames * (double)g->d_model * sizeof(float), "positions", error) ||
        allocate_floats(&session->positions, frames * g->d_model, "positions", error))
        return -1;
    attn_positions(session->positions, 0, frames, g->d_model);
    return 0;
}

/* Of one layer, on any path that the session may take. */
static size_t layer_floats(const attn_session *session, const attn_geometry *g) {
    size_t floats = 0;
    for (attn_path path = ATTN_PATH_AUTO; path <= ATTN_PATH_ABSORB; path++)
        if (path == ATTN_PATH_AUTO || session->options.path == ATTN_PATH_AUTO ||
            path == session->options.path)
            floats =
                attn_larger(floats, session->impl->workspace(g, session->options.batch, session->call_frames,
                                                             session->capacity, path));
    return floats;
}

static size_t attention_floats(const attn_session *session) {
    const attn_config *config = &session->model->config;
    size_t floats = 0, kinds = config->latent_dims[0] ? config->num_layers : 1;
    for (size_t i = 0; i < kinds; i++) {
        attn_geometry g = attn_config_geometry(config, i);
        floats = attn_larger(floats, layer_floats(session, &g));
    }
    return floats;
}

static size_t workspace_floats(const attn_session *session) {
    const attn_config *config = &session->model->config;
    size_t batch = session->options.batch, frames = session->call_frames;
    if (!frames) /* too short for the subsampling: nothing will run */
        return 0;
    size_t floats = attention_floats(session);
    if (config->model_type == ATTN_MODEL_CONFORMER)
        floats = attn_conformer_floats(config, batch, frames, floats);
    if (config->model_type == ATTN_MODEL_BRANCHFORMER)
        floats = attn_branchformer_floats(config, batch, frames, floats);
    if (config->input_layer == ATTN_INPUT_CONV2D)
        floats = attn_larger(floats, attn_subsampling_floats(&session->model->embed, frames, session->ops));
    return floats;
}

/* What x and out cannot serve as themselves. */
static int open_rows(attn_session *session, attn_error *error) {
    const attn_config *config = &session->model->config;
    size_t batch = session->options.batch, d_model = config->attention.d_model;
    size_t rows = batch * session->call_frames;
    size_t window = batch * attn_session_input_frames(config, session->call_frames, 0);
    bool contiguous = attn_session_is_contiguous(session);
    bool bare = config->model_type == ATTN_MODEL_ATTENTION;
    bool changes =
        config->num_layers > 1 || attn_adds_positions(config) || config->input_layer != ATTN_INPUT_NONE;
    if ((attn_streams_conv2d(session) || !contiguous || session->model->embed.has_cmvn) &&
        allocate_floats(&session->window, window * config->input_dim, "workspace", error))
        return -1;
    if (!contiguous &&
        allocate_floats(&session->output, rows * attn_session_width(session), "workspace", error))
        return -1;
    if (session->options.logits && allocate_floats(&session->hidden, rows * d_model, "workspace", error))
        return -1;
    return bare && changes ? allocate_floats(&session->mixed, rows * d_model, "workspace", error) : 0;
}

static int open_workspace(attn_session *session, attn_error *error) {
    const attn_embed *embed = &session->model->embed;
    session->lengths = attn_alloc(session->options.batch, sizeof *session->lengths, "workspace", error);
    session->valid = attn_alloc(session->options.batch, sizeof *session->valid, "workspace", error);
    if (!session->lengths || !session->valid || open_rows(session, error))
        return -1;
    if (session->model->config.input_layer == ATTN_INPUT_CONV2D && session->ops == &attn_encoder_fast) {
        if (allocate_floats(&session->packed, attn_subsampling_packed_floats(embed), "packed weights", error))
            return -1;
        attn_subsampling_pack(session->packed, embed);
    }
    return allocate_floats(&session->workspace, workspace_floats(session), "workspace", error);
}

/* Nothing of it has been written yet but positions and packed weights. */
static int check_memory(const attn_session *session, attn_error *error) {
    size_t need = attn_session_kv_bytes_live(session) + attn_session_workspace_bytes(session) +
                  attn_session_conv_bytes_live(session);
    return attn_memory_check((double)need, "caches and workspace", error);
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
        open_positions(session, error) || open_workspace(session, error) || check_memory(session, error)) {
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
    attn_free(session->conv);
    attn_free(session->carry);
    attn_free(session->positions);
    attn_sinusoids_free(&session->sinusoids);
    attn_free(session->packed);
    attn_free(session->window);
    attn_free(session->output);
    attn_free(session->hidden);
    attn_free(session->mixed);
    attn_free(session->workspace);
    attn_free(session->lengths);
    attn_free(session->valid);
    attn_free(session);
}
