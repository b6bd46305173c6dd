/* What both paths share, and the plain reference of each. */
#include "impl/attention/latent/latent.h"

#include "impl/attention/scalar.h"
#include "impl/attention/softmax/keys_values.h"
#include "impl/attention/variant.h"
#include "impl/kernels/kernels.h"

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
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < w->in; i++) {
            double sum = 0.0;
            for (size_t o = 0; o < w->out; o++)
                sum += (double)x[r * ldx + o] * (double)w->weight[o * w->in + i];
            y[r * ldy + i] = (float)sum;
        }
}

static const attn_products scalar_products = {attn_linear_scalar, fold_scalar};

size_t attn_latent_scalar_floats(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                                 attn_path path) {
    (void)batch, (void)path;
    size_t expand = 3 * keys * g->d_model + attn_scalar_rows_floats(g, keys);
    size_t absorb = attn_scalar_rows_floats(g, keys) + 2 * g->latent_dim + g->d_model;
    return attn_scalar_position_floats(g, frames, keys) + (expand > absorb ? expand : absorb);
}

static void expand_scalar(const attn_scalar_view *view, const float *latent, float *workspace,
                          const attn_latent_maps *maps) {
    const attn_geometry *g = &view->layer->geometry;
    size_t size = view->valid * g->d_model;
    float *k = workspace, *v = k + size, *tmp = v + size;
    maps->expand(k, g->d_model, view->layer, false, 0, g->num_heads, latent, view->valid, tmp,
                 &scalar_products);
    maps->expand(v, g->d_model, view->layer, true, 0, g->num_heads, latent, view->valid, tmp,
                 &scalar_products);
    attn_scalar_rows(view, k, v, attn_head_dim(g), g->d_model, 1, tmp + size);
}

static void absorb_scalar(const attn_scalar_view *view, const float *latent, float *workspace,
                          const attn_latent_maps *maps) {
    const attn_layer *layer = view->layer;
    const attn_geometry *g = &layer->geometry;
    size_t d_model = g->d_model, d_k = attn_head_dim(g);
    float scale = 1.0f / sqrtf((float)d_k);
    float *q = workspace, *context = q + d_model, *query = context + d_model, *folded = query + d_k;
    float *mixed = folded + g->latent_dim, *tmp = mixed + g->latent_dim, *scores = tmp + d_model;
    for (size_t i = 0; i < view->frames; i++) {
        attn_linear_scalar(q, d_model, view->x + i * d_model, d_model, &layer->q_proj, 1);
        memset(context, 0, d_model * sizeof(float));
        for (size_t head = 0; view->valid && head < g->num_heads; head++) {
            attn_scalar_query(query, scores, view, q, i, head);
            maps->fold_query(folded, g->latent_dim, layer, head, query, d_k, 1, tmp, &scalar_products);
            attn_scalar_head(mixed, scores, folded, latent, latent, g->latent_dim, view->valid, g->latent_dim,
                             scale);
            maps->expand(context + head * d_k, d_k, layer, true, head, 1, mixed, 1, tmp, &scalar_products);
        }
        attn_linear_scalar(view->out + i * d_model, d_model, context, d_model, &layer->out_proj, 1);
    }
}

void attn_latent_scalar(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                        float *workspace, const attn_latent_maps *maps) {
    const attn_geometry *g = &layer->geometry;
    size_t held = cache->length, keys = held + call->frames;
    attn_path path = attn_path_resolve(cache->variant, g, call->batch, call->frames, keys, call->path);
    const float *position = attn_scalar_positions(workspace, layer, cache, call);
    float *rest = workspace + attn_scalar_position_floats(g, call->frames, keys);
    attn_scalar_append(cache, 0, &layer->kv_compress, call, rest);
    for (size_t b = 0; b < call->batch; b++) {
        attn_scalar_view view = attn_scalar_view_of(out, layer, cache, call, b, held, position);
        const float *latent = attn_cache_rows(cache, 0, b, 0);
        if (path == ATTN_PATH_ABSORB)
            absorb_scalar(&view, latent, rest, maps);
        else
            expand_scalar(&view, latent, rest, maps);
    }
    cache->length = keys;
}
