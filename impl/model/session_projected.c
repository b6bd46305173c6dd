/* Positions that a session keeps projected: what follows from a packed model's weights alone. */
#include "impl/model/session.h"

#include "attn/alloc.h"
#include "attn/memory.h"
#include "impl/attention/projected.h"

static bool has_linear_pos(const attn_config *config) {
    attn_pos_enc pos_enc = config->attention.pos_enc;
    return attn_uses_attention(config) && (pos_enc == ATTN_POS_REL || pos_enc == ATTN_POS_REL_WENET);
}

static attn_projected reach_of(const attn_session *session) {
    return attn_projected_reach(&session->model->config.attention, session->call_frames, session->capacity,
                                session->max_frames);
}

/* SIZE_MAX where that is no size. */
static size_t table_floats(const attn_session *session, const attn_projected *reach) {
    const attn_config *config = &session->model->config;
    return attn_times(config->num_layers, attn_times(reach->count, config->attention.d_model));
}

static void fill(const attn_session *session, const attn_projected *reach, float *sinusoids) {
    const attn_config *config = &session->model->config;
    size_t step = reach->count * config->attention.d_model;
    for (size_t i = 0; i < config->num_layers; i++)
        attn_project_span(session->projected + i * step, sinusoids, &session->model->blocks[i].attention,
                          &session->sinusoids, reach);
}

void attn_session_project(attn_session *session) {
    const attn_model *model = session->model;
    if (!session->options.keep_positions || !session->impl->packs || !has_linear_pos(&model->config))
        return;
    attn_projected reach = reach_of(session);
    size_t floats = table_floats(session, &reach);
    if (!floats || floats > attn_model_packed_bytes(model) / sizeof(float))
        return;
    attn_arena arena = attn_arena_dry();
    attn_projected_layout(&arena, &model->config.attention, reach.count, 1);
    double need = (double)(attn_session_kv_bytes_live(session) + attn_session_workspace_bytes(session) +
                           attn_session_conv_bytes_live(session) + arena.peak);
    if (attn_memory_check(need + (double)floats * sizeof(float), "projected positions", NULL))
        return;
    float *sinusoids = attn_alloc(arena.peak, 1, "sinusoids", NULL);
    session->projected = sinusoids ? attn_alloc(floats, sizeof(float), "projected positions", NULL) : NULL;
    if (session->projected)
        fill(session, &reach, sinusoids);
    attn_free(sinusoids);
}

attn_projected attn_session_projected(const attn_session *session, size_t layer) {
    if (!session->projected)
        return (attn_projected){0};
    attn_projected kept = reach_of(session);
    kept.rows = session->projected + layer * kept.count * session->model->config.attention.d_model;
    return kept;
}

size_t attn_session_projected_bytes(const attn_session *session) {
    return attn_alloc_size(session->projected);
}
