/* Positions that a session keeps projected: what follows from a packed model's weights alone. */
#include "impl/model/session.h"

#include "attn/alloc.h"
#include "attn/memory.h"
#include "impl/attention/projected.h"

static bool has_linear_pos(const attn_config *config) {
    return attn_uses_attention(config) && attn_has_rel_pos(&config->attention);
}

static attn_projected reach_of(const attn_session *session) {
    return attn_projected_reach(&session->model->config.attention, session->call_frames, session->capacity,
                                session->max_frames);
}

/* SIZE_MAX where that is no size. */
static size_t table_floats(const attn_session *session, const attn_projected *reach) {
    const attn_config *config = &session->model->config;
    return attn_times(config->num_layers, attn_projected_floats(&config->attention, reach->count));
}

static void fill(const attn_session *session, const attn_projected *reach, float *workspace) {
    const attn_config *config = &session->model->config;
    size_t step = attn_projected_floats(&config->attention, reach->count);
    for (size_t i = 0; i < config->num_layers; i++)
        attn_project_span(session->projected + i * step, workspace, &session->model->blocks[i].attention,
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
    attn_project_span_layout(&arena, &model->config.attention, reach.count);
    double need = (double)(attn_session_kv_bytes_live(session) + attn_session_workspace_bytes(session) +
                           attn_session_conv_bytes_live(session) + arena.peak);
    if (attn_memory_check(need + (double)floats * sizeof(float), "projected positions", NULL))
        return;
    float *workspace = attn_alloc(arena.peak, 1, "rows of projected positions", NULL);
    session->projected = workspace ? attn_alloc(floats, sizeof(float), "projected positions", NULL) : NULL;
    if (session->projected)
        fill(session, &reach, workspace);
    attn_free(workspace);
}

attn_projected attn_session_projected(const attn_session *session, size_t layer) {
    if (!session->projected)
        return (attn_projected){0};
    attn_projected kept = reach_of(session);
    kept.panels =
        session->projected + layer * attn_projected_floats(&session->model->config.attention, kept.count);
    return kept;
}

size_t attn_session_projected_bytes(const attn_session *session) {
    return attn_alloc_size(session->projected);
}
