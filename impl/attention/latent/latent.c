/* What both paths share, and the plain reference of each. */
#include "impl/attention/latent/latent.h"

#include "attn/size.h"
#include "impl/attention/scalar.h"
#include "impl/attention/variant.h"
#include "impl/kernels/plain.h"

#include <math.h>
#include <string.h>

size_t attn_latent_slots(const attn_geometry *g, attn_cache_slot slot[ATTN_CACHE_SLOTS]) {
    slot[0] = (attn_cache_slot){.name = "latent", .width = g->latent_dim};
    return 1;
}

double attn_latent_flops(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                         double row_flops) {
    double queries = (double)(batch * frames),
           compress = attn_linear_flops(batch * frames, g->latent_dim, g->d_model);
    double expanded_rows = path == ATTN_PATH_ABSORB ? queries : (double)(batch * keys);
    double width = (double)(path == ATTN_PATH_ABSORB ? g->num_heads * g->latent_dim : g->d_model);
    return attn_query_flops(g, batch, frames) + compress + 2 * expanded_rows * row_flops +
           4.0 * queries * (double)keys * width;
}

static void fold_scalar(float *y, size_t ldy, const float *x, size_t ldx, const attn_linear *w, size_t rows) {
    attn_plain_fold(y, ldy, x, ldx, w->weight, rows, w->out, w->in);
}

static const attn_products scalar_products = {attn_linear_scalar, fold_scalar};

typedef struct scalar_buffers {
    float *positions;
    float *row;            /* [d_c]: of a frame; before the others */
    float *k, *v;          /* expand: [keys, d_model] */
    float *folded, *mixed; /* absorb: [d_c] */
    float *tmp;            /* [d_model]: of the maps */
    attn_scalar_buffers rows;
} scalar_buffers;

/* Of a path that is not AUTO. */
static scalar_buffers scalar_layout(attn_arena *arena, const attn_geometry *g, size_t frames, size_t keys,
                                    attn_path path) {
    bool expands = path == ATTN_PATH_EXPAND;
    scalar_buffers b = {.positions = attn_scalar_positions_layout(arena, g, frames, keys)};
    size_t mark = attn_arena_mark(arena);
    b.row = attn_arena_floats(arena, 1, g->latent_dim);
    attn_arena_release(arena, mark);
    b.k = attn_arena_floats(arena, expands ? keys : 0, g->d_model);
    b.v = attn_arena_floats(arena, expands ? keys : 0, g->d_model);
    b.folded = attn_arena_floats(arena, expands ? 0 : 1, g->latent_dim);
    b.mixed = attn_arena_floats(arena, expands ? 0 : 1, g->latent_dim);
    b.tmp = attn_arena_floats(arena, 1, g->d_model);
    b.rows = attn_scalar_rows_layout(arena, g, keys, attn_larger(attn_head_dim(g), g->latent_dim));
    return b;
}

size_t attn_latent_scalar_workspace(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                    attn_path path, size_t threads) {
    (void)batch, (void)threads;
    attn_arena arena = attn_arena_dry();
    if (path != ATTN_PATH_ABSORB)
        scalar_layout(&arena, g, frames, keys, ATTN_PATH_EXPAND);
    attn_arena_release(&arena, 0);
    if (path != ATTN_PATH_EXPAND)
        scalar_layout(&arena, g, frames, keys, ATTN_PATH_ABSORB);
    return arena.peak;
}

static void expand_scalar(const attn_scalar_view *view, const attn_cache *cache, size_t utterance,
                          const scalar_buffers *b, const attn_latent_maps *maps) {
    const attn_layer *layer = view->layer;
    size_t d_model = layer->geometry.d_model, heads = layer->geometry.num_heads,
           d_k = attn_head_dim(&layer->geometry);
    float *latent = b->rows.row;
    for (size_t j = 0; j < view->valid; j++) {
        attn_cache_load(latent, cache, 0, utterance, 0, j, 1);
        maps->expand(b->k + j * d_model, d_model, d_k, layer, false, 0, heads, latent, 1, b->tmp,
                     &scalar_products);
        maps->expand(b->v + j * d_model, d_model, d_k, layer, true, 0, heads, latent, 1, b->tmp,
                     &scalar_products);
    }
    attn_scalar_keys kv = {
        .k = b->k, .v = b->v, .head_stride = d_k * sizeof(float), .stride = d_model * sizeof(float)};
    attn_scalar_rows(view, &kv, 1, &b->rows);
}

static void absorb_scalar(const attn_scalar_view *view, const attn_cache *cache, size_t utterance,
                          const scalar_buffers *b, const attn_latent_maps *maps) {
    const attn_layer *layer = view->layer;
    const attn_geometry *g = &layer->geometry;
    size_t d_model = g->d_model, d_k = attn_head_dim(g);
    float scale = 1.0f / sqrtf((float)d_k);
    float *q = b->rows.q, *context = b->rows.context, *query = b->rows.query;
    const void *latents = attn_cache_rows(cache, 0, utterance, 0);
    attn_scalar_keys kv = {
        .k = latents, .v = latents, .stride = attn_cache_row_bytes(cache, 0), .type = cache->type};
    for (size_t i = 0; i < view->frames; i++) {
        attn_linear_scalar(q, d_model, view->x + i * d_model, d_model, &layer->q_proj, 1);
        memset(context, 0, d_model * sizeof(float));
        for (size_t head = 0; view->valid && head < g->num_heads; head++) {
            attn_scalar_query(query, b->rows.scores, view, q, i, head);
            maps->fold_query(b->folded, g->latent_dim, layer, head, query, d_k, 1, b->tmp, &scalar_products);
            attn_scalar_head(b->mixed, b->folded, &kv, 0, view->valid, g->latent_dim, scale, &b->rows);
            maps->expand(context + head * d_k, d_k, d_k, layer, true, head, 1, b->mixed, 1, b->tmp,
                         &scalar_products);
        }
        attn_linear_scalar(view->out + i * d_model, d_model, context, d_model, &layer->out_proj, 1);
    }
}

void attn_latent_scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                        void *workspace, const attn_latent_maps *maps) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, keys = held + call->frames;
    attn_path path = attn_path_resolve(cache->variant, g, call->batch, call->frames, keys, call->path);
    attn_arena arena = attn_arena_wet(workspace);
    scalar_buffers buffers = scalar_layout(&arena, g, call->frames, keys, path);
    const float *position = attn_scalar_positions(buffers.positions, layer, cache, call);
    attn_scalar_append(cache, 0, &layer->kv_compress, call, buffers.row);
    for (size_t b = 0; b < call->batch; b++) {
        attn_scalar_view view = attn_scalar_view_of(out, layer, cache, call, b, held, position);
        if (path == ATTN_PATH_ABSORB)
            absorb_scalar(&view, cache, b, &buffers, maps);
        else
            expand_scalar(&view, cache, b, &buffers, maps);
    }
    cache->length = keys;
}
