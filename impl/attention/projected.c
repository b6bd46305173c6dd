#include "impl/attention/projected.h"

#include "attn/size.h"
#include "attn/threads.h"
#include "impl/attention/parts.h"
#include "impl/attention/positions.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

enum { ROWS = 128 }; /* sinusoids projected together */

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
                             g->d_model + g->d_model % 2);
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

void attn_project_span(float *rows, float *sinusoids, const attn_layer *layer, const attn_sinusoids *source,
                       const attn_projected *span) {
    projection p = {.table = rows,
                    .sinusoids = sinusoids,
                    .source = source,
                    .map = layer->linear_pos,
                    .first = span->first,
                    .step = step_of(&layer->geometry),
                    .count = span->count};
    attn_share(project_part, &p);
}

/* All heads' rows of the call, or NULL. */
static const float *kept_rows(const attn_geometry *g, const attn_cache *cache, const attn_call *call,
                              size_t held) {
    const attn_projected *kept = &call->projected;
    size_t need = attn_position_count(g, call->frames, held + call->frames);
    if (!kept->rows || !need)
        return NULL;
    long at = (first_of(g, cache, call, held) - kept->first) * step_of(g);
    bool inside = at >= 0 && (size_t)at <= kept->count && need <= kept->count - (size_t)at;
    return inside ? kept->rows + (size_t)at * g->d_model : NULL;
}

bool attn_keeps_positions(const attn_geometry *g, const attn_cache *cache, const attn_call *call,
                          size_t held) {
    return kept_rows(g, cache, call, held) != NULL;
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
    const float *kept = kept_rows(g, cache, call, held);
    if (kept)
        return (attn_projected_rows){kept + head0 * d_k, g->d_model};
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
    return (attn_projected_rows){table, heads * d_k};
}
