/* Converting one layer. */
#include "impl/convert/layer.h"

#include "attn/alloc.h"
#include "impl/attention/variant_names.h"
#include "impl/convert/basis.h"
#include "impl/convert/matrix.h"

#include <string.h>

const char *const attn_convert_method_names[] = {"average", "split", "joint", "activation", "mean", NULL};

int attn_convert_check(const attn_convert_target *target, const attn_geometry *g, attn_error *error) {
    const attn_variant *variant = target->variant;
    const char *method = attn_convert_method_names[target->method];
    if (!variant || !(variant->has_latent || variant->has_kv_heads)) {
        char types[ATTN_VARIANT_NAMES_TEXT];
        attn_variant_names_text(types, ATTN_TAKES_SIZE, " or ");
        return attn_fail(error, "to: found %s, expected %s", variant ? variant->name : "nothing", types);
    }
    if (variant->has_kv_heads) {
        size_t kv_heads = target->num_kv_heads;
        if (target->method != ATTN_CONVERT_MEAN && target->method != ATTN_CONVERT_ACTIVATION)
            return attn_fail(error, "method: found %s, expected mean or activation for %s", method,
                             variant->name);
        if (!kv_heads || kv_heads > g->num_heads || g->num_heads % kv_heads)
            return attn_fail(error, "num_kv_heads: found %zu, expected a divisor of num_heads %zu", kv_heads,
                             g->num_heads);
        return 0;
    }
    if (target->method == ATTN_CONVERT_MEAN)
        return attn_fail(error, "method: found mean, expected average, split, joint or activation for %s",
                         variant->name);
    size_t least = target->method == ATTN_CONVERT_SPLIT ? 2 : 1;
    if (target->latent_dim < least || target->latent_dim > g->d_model)
        return attn_fail(error,
                         "latent_dim: found %zu, expected %zu to %zu (the rank of the stacked key and value "
                         "weights is at most d_model)",
                         target->latent_dim, least, g->d_model);
    return 0;
}

static void narrow(float *to, const double *from, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] = (float)from[i];
}

/* Identities for every head, and no biases. */
static void fill_second_stage(attn_linear *b, const attn_geometry *g) {
    size_t d_k = attn_head_dim(g);
    memset(b->weight, 0, g->d_model * d_k * sizeof(float));
    memset(b->bias, 0, g->d_model * sizeof(float));
    for (size_t row = 0; row < g->d_model; row++)
        b->weight[row * d_k + row % d_k] = 1.0f;
}

static void fill_latent(attn_layer *to, const attn_layer *mha, const attn_factors *f) {
    const attn_geometry *g = &to->geometry;
    size_t d = g->d_model, rank = g->latent_dim;
    bool two_stages = to->k_expand_b.weight != NULL;
    attn_linear *keys = two_stages ? &to->k_expand_a : &to->k_expand;
    attn_linear *values = two_stages ? &to->v_expand_a : &to->v_expand;
    attn_copy_queries(to, mha);
    narrow(to->kv_compress.weight, f->compress, rank * d);
    memset(to->kv_compress.bias, 0, rank * sizeof(float));
    narrow(keys->weight, f->expand, d * rank);
    narrow(values->weight, f->expand + d * rank, d * rank);
    narrow(keys->bias, f->bias, d);
    narrow(values->bias, f->bias + d, d);
    if (two_stages) {
        fill_second_stage(&to->k_expand_b, g);
        fill_second_stage(&to->v_expand_b, g);
    }
}

static int fill(attn_layer *to, const attn_layer *mha, const attn_stack *stack,
                const attn_convert_target *target, const attn_moments *moments, attn_error *error) {
    attn_geometry g = mha->geometry;
    g.latent_dim = target->variant->has_latent ? target->latent_dim : 0;
    g.num_kv_heads = target->variant->has_kv_heads ? target->num_kv_heads : 0;
    if (attn_layer_create(to, target->variant, &g, 0, error))
        return -1;
    int result = -1;
    if (target->variant->has_latent) {
        attn_factors factors = {0};
        result = attn_factors_make(&factors, stack, target, moments, error);
        if (!result)
            fill_latent(to, mha, &factors);
        attn_factors_free(&factors);
        return result;
    }
    size_t *order = attn_alloc(g.num_heads, sizeof *order, "order of heads", error);
    if (order && !(result = attn_group_heads(order, stack, &g, target, moments, error)))
        attn_pool_heads(to, mha, stack, order);
    attn_free(order);
    return result;
}

int attn_convert_with(attn_layer *to, attn_convert_report *report, const attn_layer *mha,
                      const attn_convert_target *target, const attn_moments *moments, attn_error *error) {
    attn_stack stack = {0};
    *to = (attn_layer){0};
    int result = -1;
    if (!attn_convert_check(target, &mha->geometry, error) &&
        !attn_stack_make(&stack, mha, attn_variant_find("mha"), error) &&
        !fill(to, mha, &stack, target, moments, error))
        result = report ? attn_measure_layer(report, &stack, mha, to, target->variant, moments, error) : 0;
    attn_stack_free(&stack);
    if (result)
        attn_layer_free(to);
    return result;
}

int attn_convert_layer(attn_layer *to, attn_convert_report *report, const attn_layer *mha,
                       const attn_convert_target *target, const attn_layer_inputs *inputs,
                       attn_error *error) {
    attn_moments moments = {0};
    bool measured = inputs && inputs->frames;
    *to = (attn_layer){0};
    int result = measured ? attn_moments_make(&moments, inputs, mha->geometry.d_model, error) : 0;
    if (!result)
        result = attn_convert_with(to, report, mha, target, measured ? &moments : NULL, error);
    attn_moments_free(&moments);
    return result;
}

int attn_stacked_spectrum(double *sigma, const attn_layer *layer, const attn_variant *variant,
                          attn_error *error) {
    attn_stack stack = {0};
    size_t d = layer->geometry.d_model;
    int result = attn_stack_make(&stack, layer, variant, error);
    if (!result)
        result = attn_basis_sigma(sigma, stack.weight, 2 * d, d, NULL, error);
    attn_stack_free(&stack);
    return result;
}
