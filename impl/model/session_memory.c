/* What a session allocates, once: running allocates nothing. */
#include "impl/model/session.h"

#include "attn/alloc.h"
#include "attn/memory.h"

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
        if (attn_cache_init(&session->caches[i], config->variant, &g, batch, session->capacity,
                            config->kv_dtype, error))
            return -1;
    }
    if (attn_multiply(&floats, config->num_layers, attn_session_conv_floats(session)))
        return attn_fail(error, "convolution cache: does not fit the address space");
    if (attn_streams_conv(session) && allocate_floats(&session->conv, floats, "convolution cache", error))
        return -1;
    if (attn_streams_gates(session) && allocate_floats(&session->gates, floats, "convolution cache", error))
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

/* Of the layer that needs most. */
static size_t attention_bytes(const attn_session *session) {
    const attn_config *config = &session->model->config;
    size_t bytes = 0, kinds = config->latent_dims[0] ? config->num_layers : 1;
    for (size_t i = 0; i < kinds; i++) {
        attn_geometry g = attn_config_geometry(config, i);
        bytes = attn_larger(bytes, session->impl->workspace(&g, session->options.batch, session->call_frames,
                                                            session->capacity, session->options.path,
                                                            attn_threads_count(session->options.threads)));
    }
    return bytes;
}

/* Of the largest call: its parts use the same memory one after the other. */
static size_t workspace_bytes(const attn_session *session) {
    const attn_config *config = &session->model->config;
    attn_encoder_call call = {.config = config,
                              .ops = session->ops,
                              .batch = session->options.batch,
                              .frames = session->call_frames,
                              .attention_bytes = session->attention_bytes};
    attn_arena dry = attn_arena_dry();
    size_t bytes = session->attention_bytes;
    if (config->model_type == ATTN_MODEL_CONFORMER)
        bytes = attn_conformer_peak(&call, dry);
    if (config->model_type == ATTN_MODEL_BRANCHFORMER)
        bytes = attn_branchformer_peak(&call, dry);
    if (config->input_layer == ATTN_INPUT_CONV2D)
        bytes = attn_larger(bytes, attn_subsampling_peak(&session->model->embed, call.frames, call.ops, dry));
    return bytes;
}

static float *floats_if(bool needed, attn_arena *arena, size_t rows, size_t width) {
    return needed ? attn_arena_floats(arena, rows, width) : NULL;
}

/* Rows that x and out cannot serve as themselves, and the workspace. */
static void memory_layout(attn_session *session, attn_arena *arena) {
    const attn_config *config = &session->model->config;
    size_t batch = session->options.batch, d_model = config->attention.d_model;
    size_t rows = batch * session->call_frames;
    size_t window = batch * attn_session_input_frames(config, session->call_frames, 0);
    bool contiguous = attn_session_is_contiguous(session);
    bool changes =
        config->num_layers > 1 || attn_adds_positions(config) || config->input_layer != ATTN_INPUT_NONE;
    session->window = floats_if(attn_streams_conv2d(session) || !contiguous || session->model->embed.has_cmvn,
                                arena, window, config->input_dim);
    session->output = floats_if(!contiguous, arena, rows, attn_session_width(session));
    session->hidden = floats_if(session->options.logits, arena, rows, d_model);
    session->mixed = floats_if(config->model_type == ATTN_MODEL_ATTENTION && changes, arena, rows, d_model);
    session->workspace = attn_arena_take(arena, workspace_bytes(session), 1);
}

static int open_memory(attn_session *session, attn_error *error) {
    attn_arena arena = attn_arena_dry();
    session->lengths = attn_alloc(session->options.batch, sizeof *session->lengths, "workspace", error);
    session->valid = attn_alloc(session->options.batch, sizeof *session->valid, "workspace", error);
    if (!session->lengths || !session->valid)
        return -1;
    if (session->call_frames) { /* else too short for the subsampling: nothing will run */
        session->attention_bytes = attention_bytes(session);
        memory_layout(session, &arena);
    }
    session->memory = attn_alloc(arena.peak, 1, "workspace", error);
    if (!session->memory)
        return -1;
    arena = attn_arena_wet(session->memory);
    if (session->call_frames)
        memory_layout(session, &arena);
    return 0;
}

static void packed_layout(attn_session *session, attn_arena *arena) {
    const attn_model *model = session->model;
    if (model->config.input_layer == ATTN_INPUT_CONV2D && session->ops->packs)
        session->packed_embed = attn_arena_floats(arena, 1, attn_subsampling_packed_floats(&model->embed));
    session->packed_blocks = attn_arena_take(arena, model->config.num_layers, sizeof(attn_packed_block));
    for (size_t i = 0; i < model->config.num_layers; i++) {
        attn_packed_block packed = attn_block_pack_layout(arena, &model->config);
        if (session->packed_blocks)
            session->packed_blocks[i] = packed;
    }
}

static int open_packed(attn_session *session, attn_error *error) {
    const attn_model *model = session->model;
    attn_arena arena = attn_arena_dry();
    if (model->config.model_type == ATTN_MODEL_ATTENTION && model->config.input_layer != ATTN_INPUT_CONV2D)
        return 0;
    packed_layout(session, &arena);
    session->packed = attn_alloc(arena.peak, 1, "packed weights", error);
    if (!session->packed)
        return -1;
    arena = attn_arena_wet(session->packed);
    packed_layout(session, &arena);
    return 0;
}

static void pack_weights(attn_session *session) {
    const attn_model *model = session->model;
    if (session->packed_embed)
        attn_subsampling_pack(session->packed_embed, &model->embed);
    for (size_t i = 0; session->packed_blocks && i < model->config.num_layers; i++)
        attn_block_pack(&session->packed_blocks[i], &model->blocks[i], &model->config);
}

/* Of what is allocated only positions have been written yet. */
static int check_memory(const attn_session *session, attn_error *error) {
    size_t need = attn_session_kv_bytes_live(session) + attn_session_workspace_bytes(session) +
                  attn_session_conv_bytes_live(session);
    return attn_memory_check((double)need, "caches and workspace", error);
}

static int allocate(attn_session *session, attn_error *error) {
    if (open_caches(session, error) || open_positions(session, error) || open_memory(session, error) ||
        open_packed(session, error) || check_memory(session, error))
        return -1;
    pack_weights(session);
    attn_session_project(session);
    return 0;
}

/* How weights are packed depends on the kernels that will run. */
int attn_session_allocate(attn_session *session, attn_error *error) {
    attn_isa limit = attn_cpu_limit(session->isa);
    int result = allocate(session, error);
    attn_cpu_limit(limit);
    return result;
}

void attn_session_release(attn_session *session) {
    for (size_t i = 0; session->caches && i < session->model->config.num_layers; i++)
        attn_cache_free(&session->caches[i]);
    attn_free(session->caches);
    attn_free(session->conv);
    attn_free(session->gates);
    attn_free(session->carry);
    attn_free(session->positions);
    attn_sinusoids_free(&session->sinusoids);
    attn_free(session->projected);
    attn_free(session->packed);
    attn_free(session->memory);
    attn_free(session->lengths);
    attn_free(session->valid);
}
