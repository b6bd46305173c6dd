#include "attn/attention.h"

#include "attn/alloc.h"
#include "impl/attention/variant.h"

#include <stdio.h>
#include <string.h>

const char *const attn_pos_enc_names[] = {"none", "abs_pos", "rel_pos", "rel_pos_wenet", NULL};
const char *const attn_path_names[] = {"auto", "expand", "absorb", NULL};

const attn_variant *const attn_variants[] = {
#define VARIANT(name) &attn_variant_##name,
#include "impl/attention/variants.inc"
#undef VARIANT
    NULL};

const attn_variant *attn_variant_find(const char *name) {
    for (size_t i = 0; attn_variants[i]; i++)
        if (!strcmp(attn_variants[i]->name, name))
            return attn_variants[i];
    return NULL;
}

const char *const attn_impl_names[] = {"auto", "scalar", "blas", "base", "avx2", "avx512", NULL};

static int find_isa(const char *name) {
    for (int i = 0; attn_isa_names[i]; i++)
        if (!strcmp(attn_isa_names[i], name))
            return i;
    return -1;
}

attn_isa attn_impl_isa(const char *name) {
    int isa = find_isa(name);
    return isa < 0 ? ATTN_ISA_AVX512 : (attn_isa)isa;
}

const attn_impl *attn_impl_find(const attn_variant *variant, const char *name) {
    const attn_impl *last = NULL;
    for (size_t i = 0; i < ATTN_IMPLS && variant->impls[i].name; i++) {
        if (!strcmp(variant->impls[i].name, name))
            return &variant->impls[i];
        last = &variant->impls[i];
    }
    return strcmp(name, "auto") && find_isa(name) < 0 ? NULL : last;
}

attn_path attn_path_resolve(const attn_variant *variant, const attn_geometry *g, size_t batch, size_t frames,
                            size_t keys, attn_path path) {
    if (!variant->has_latent)
        return ATTN_PATH_EXPAND;
    if (path != ATTN_PATH_AUTO)
        return path;
    double expand = variant->cost(g, batch, frames, keys, ATTN_PATH_EXPAND).flops;
    double absorb = variant->cost(g, batch, frames, keys, ATTN_PATH_ABSORB).flops;
    return absorb < expand ? ATTN_PATH_ABSORB : ATTN_PATH_EXPAND;
}

attn_cost attn_impl_cost(const attn_variant *variant, const attn_impl *impl, const attn_geometry *g,
                         size_t batch, size_t frames, size_t keys, attn_path path) {
    path = attn_path_resolve(variant, g, batch, frames, keys, path);
    attn_cost cost = variant->cost(g, batch, frames, keys, path);
    if (impl->position_flops)
        cost.flops += impl->position_flops(g, batch, frames, keys, path);
    return cost;
}

enum { LARGEST = 1 << 20 }; /* of any width: far beyond use, and no product of two overflows */

static int check_size(size_t value, const char *name, const char **key, attn_error *error) {
    if (value >= 1 && value <= LARGEST)
        return 0;
    if (key)
        *key = name;
    return attn_fail(error, "%s: found %zu, expected 1 to %d", name, value, LARGEST);
}

static int check_heads(const attn_geometry *g, const char **key, attn_error *error) {
    if (g->d_model % g->num_heads == 0)
        return 0;
    if (key)
        *key = "num_heads";
    return attn_fail(error, "num_heads: d_model %zu is not divisible by num_heads %zu", g->d_model,
                     g->num_heads);
}

/* A quarter of the heads or, where that does not divide them (9 heads), the next fewer that do. */
static size_t default_kv_heads(size_t num_heads) {
    size_t count = num_heads >= 4 ? num_heads / 4 : 1;
    while (num_heads % count)
        count--;
    return count;
}

/* Says which numbers would do, as far as there is room. */
static int check_kv_heads(const attn_geometry *g, const char **key, attn_error *error) {
    char list[160] = "";
    if (check_size(g->num_kv_heads, "num_kv_heads", key, error))
        return -1;
    if (g->num_heads % g->num_kv_heads == 0)
        return 0;
    for (size_t i = 1; i <= g->num_heads; i++) {
        size_t used = strlen(list);
        if (g->num_heads % i == 0 && used + 16 < sizeof list)
            snprintf(list + used, sizeof list - used, "%s%zu", used ? ", " : "", i);
    }
    if (key)
        *key = "num_kv_heads";
    return attn_fail(error,
                     "num_kv_heads: num_heads %zu is not divisible by num_kv_heads %zu, expected one of %s",
                     g->num_heads, g->num_kv_heads, list);
}

int attn_geometry_complete(attn_geometry *g, const attn_variant *variant, const char **key,
                           attn_error *error) {
    if (check_size(g->d_model, "d_model", key, error) || check_size(g->num_heads, "num_heads", key, error) ||
        check_heads(g, key, error))
        return -1;
    if (!variant->has_kv_heads)
        g->num_kv_heads = 0;
    else if (!g->num_kv_heads)
        g->num_kv_heads = default_kv_heads(g->num_heads);
    if (!variant->has_latent)
        g->latent_dim = 0;
    else if (!g->latent_dim)
        g->latent_dim = g->d_model;
    if (variant->has_latent && check_size(g->latent_dim, "latent_dim", key, error))
        return -1;
    if (variant->has_kv_heads && check_kv_heads(g, key, error))
        return -1;
    if (!variant->is_softmax && (g->pos_enc == ATTN_POS_REL || g->pos_enc == ATTN_POS_REL_WENET)) {
        if (key)
            *key = "pos_enc";
        return attn_fail(
            error, "pos_enc: %s needs scores to add to, and %s attention has none; expected none or abs_pos",
            attn_pos_enc_names[g->pos_enc], variant->name);
    }
    return 0;
}

int attn_visit_tensor(attn_tensor_visitor *visit, void *context, const char *name, float **data,
                      size_t offset, size_t rows, size_t columns, attn_error *error) {
    attn_tensor tensor = {.data = data, .offset = offset, .rank = columns ? 2 : 1, .dims = {rows, columns}};
    snprintf(tensor.name, sizeof tensor.name, "%s", name);
    return visit(context, &tensor, error);
}

int attn_visit_linear(attn_tensor_visitor *visit, void *context, const char *name, attn_linear *linear,
                      size_t out, size_t in, attn_error *error) {
    char full[64];
    linear->out = out;
    linear->in = in;
    snprintf(full, sizeof full, "%s.weight", name);
    if (attn_visit_tensor(visit, context, full, &linear->weight, 0, out, in, error))
        return -1;
    snprintf(full, sizeof full, "%s.bias", name);
    return attn_visit_tensor(visit, context, full, &linear->bias, 0, out, 0, error);
}

static int visit_positions(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error) {
    const attn_geometry *g = &layer->geometry;
    if (g->pos_enc != ATTN_POS_REL && g->pos_enc != ATTN_POS_REL_WENET)
        return 0;
    layer->linear_pos.out = layer->linear_pos.in = g->d_model;
    if (attn_visit_tensor(visit, context, "linear_pos.weight", &layer->linear_pos.weight, 0, g->d_model,
                          g->d_model, error) ||
        attn_visit_tensor(visit, context, "pos_bias_u", &layer->pos_bias_u, 0, g->num_heads, attn_head_dim(g),
                          error))
        return -1;
    return attn_visit_tensor(visit, context, "pos_bias_v", &layer->pos_bias_v, 0, g->num_heads,
                             attn_head_dim(g), error);
}

int attn_layer_tensors(attn_layer *layer, const attn_variant *variant, attn_tensor_visitor *visit,
                       void *context, attn_error *error) {
    size_t d = layer->geometry.d_model;
    if (attn_visit_linear(visit, context, "q_proj", &layer->q_proj, d, d, error) ||
        variant->tensors(layer, visit, context, error) ||
        attn_visit_linear(visit, context, "out_proj", &layer->out_proj, d, d, error))
        return -1;
    return visit_positions(layer, visit, context, error);
}

static int count_parameters(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    *(size_t *)context += tensor->dims[0] * (tensor->rank > 1 ? tensor->dims[1] : 1);
    return 0;
}

size_t attn_layer_parameters(const attn_variant *variant, const attn_geometry *g) {
    attn_layer layer = {.geometry = *g};
    size_t count = 0;
    attn_layer_tensors(&layer, variant, count_parameters, &count, NULL);
    return count;
}
