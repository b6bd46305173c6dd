#include "impl/attention/projected.h"

#include "attn/size.h"
#include "attn/threads.h"
#include "impl/attention/parts.h"
#include "impl/attention/positions.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"
#include "impl/kernels/panels.h"

enum { ROWS = 128 }; /* sinusoids projected together: whole panels */

/* From a row to the next. */
static long step_of(const attn_geometry *g) {
    return g->pos_enc == ATTN_POS_REL ? -1 : 1;
}

static long first_of(const attn_geometry *g, const attn_cache *cache, const attn_call *call, size_t held) {
    long first = attn_first_position(g, cache, call, held);
    return g->pos_enc == ATTN_POS_REL ? first + (long)call->frames - 1 : first;
}

attn_projected attn_projected_reach(const attn_geometry *g, size_t frames, size_t keys, size_t stream) {
    if (g->pos_enc == ATTN_POS_REL)
        return (attn_projected){.first = (long)keys - 1, .count = attn_position_count(g, frames, keys)};
    return (attn_projected){.count = attn_position_count(g, frames, stream)};
}

float *attn_projected_layout(attn_arena *arena, const attn_geometry *g, size_t count, size_t threads) {
    return attn_arena_floats(arena, attn_times(attn_smaller(ROWS, count), threads),
                             attn_sinusoids_width(g->d_model));
}

/* Positions first, first + step, ... through some rows of linear_pos. */
typedef struct projection {
    float *table, *sinusoids;
    const attn_sinusoids *source;
    attn_linear map;
    long first, step;
    size_t count;
} projection;

/* A part has some of the positions. */
static void project_part(void *context, size_t part, size_t parts) {
    const projection *p = context;
    attn_range range = attn_part_range(p->count, ROWS, part, parts);
    size_t width = p->source->width;
    float *sinusoids = p->sinusoids + part * attn_smaller(ROWS, p->count) * width;
    for (size_t c = range.begin; c < range.end; c += ROWS) {
        size_t some = attn_smaller(ROWS, range.end - c);
        for (size_t r = 0; r < some; r++)
            attn_sinusoids_row(p->source, sinusoids + r * width, p->first + p->step * (long)(c + r));
        attn_linear_blas(p->table + c * p->map.out, p->map.out, sinusoids, width, &p->map, some);
    }
}

static size_t head_floats(const attn_geometry *g, size_t count) {
    return attn_panels_floats(count, attn_head_dim(g));
}

size_t attn_projected_floats(const attn_geometry *g, size_t count) {
    return attn_times(g->num_heads, head_floats(g, count));
}

float *attn_project_span_layout(attn_arena *arena, const attn_geometry *g, size_t count) {
    return attn_arena_floats(arena, attn_smaller(ROWS, count), g->d_model + attn_sinusoids_width(g->d_model));
}

void attn_project_span(float *panels, float *workspace, const attn_layer *layer, const attn_sinusoids *source,
                       const attn_projected *span) {
    const attn_geometry *g = &layer->geometry;
    size_t d_k = attn_head_dim(g), head = head_floats(g, span->count);
    projection p = {.table = workspace,
                    .sinusoids = workspace + attn_smaller(ROWS, span->count) * g->d_model,
                    .source = source,
                    .map = layer->linear_pos,
                    .step = step_of(g)};
    for (size_t c = 0; c < span->count; c += ROWS) {
        p.first = span->first + p.step * (long)c;
        p.count = attn_smaller(ROWS, span->count - c);
        project_part(&p, 0, 1);
        for (size_t i = 0; i < g->num_heads; i++)
            attn_panels_fill(panels + i * head + c * d_k, p.table + i * d_k, g->d_model, 1, p.count, d_k);
    }
}

/* Whether the positions of the call are kept, the first of them being number *at. */
static bool find_kept(const attn_geometry *g, const attn_cache *cache, const attn_call *call, size_t held,
                      size_t *at) {
    const attn_projected *kept = &call->projected;
    size_t need = attn_position_count(g, call->frames, held + call->frames);
    if (!kept->panels || !need)
        return false;
    long first = (first_of(g, cache, call, held) - kept->first) * step_of(g);
    *at = (size_t)first;
    return first >= 0 && *at <= kept->count && need <= kept->count - *at;
}

bool attn_keeps_positions(const attn_geometry *g, const attn_cache *cache, const attn_call *call,
                          size_t held) {
    size_t at;
    return find_kept(g, cache, call, held, &at);
}

size_t attn_positions_to_project(const attn_geometry *g, const attn_cache *cache, const attn_call *call) {
    size_t held = cache->length;
    return attn_keeps_positions(g, cache, call, held)
               ? 0
               : attn_blas_position_count(g, call->batch, call->frames, held + call->frames);
}

attn_projected_rows attn_project_call(float *table, float *sinusoids, const attn_layer *layer,
                                      const attn_cache *cache, const attn_call *call, size_t head0,
                                      size_t heads) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, d_k = attn_head_dim(g);
    attn_projected_rows kept = {.panels = true};
    if (find_kept(g, cache, call, held, &kept.at)) {
        kept.head = head_floats(g, call->projected.count);
        kept.data = call->projected.panels + head0 * kept.head;
        return kept;
    }
    projection p = {.table = table,
                    .sinusoids = sinusoids,
                    .source = call->sinusoids,
                    .first = first_of(g, cache, call, held),
                    .step = step_of(g),
                    .count = attn_positions_to_project(g, cache, call)};
    if (!p.count)
        return (attn_projected_rows){0};
    p.map = attn_linear_rows(&layer->linear_pos, head0 * d_k, heads * d_k);
    attn_mark_inner(ATTN_INNER_POSITIONS);
    attn_share(project_part, &p);
    return (attn_projected_rows){.data = table, .head = d_k, .stride = heads * d_k};
}
