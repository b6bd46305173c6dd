#include "impl/convert/stack.h"

#include "attn/alloc.h"
#include "attn/convert.h"
#include "impl/convert/matrix.h"

#include <string.h>

static double *widened(const float *x, size_t count, attn_error *error) {
    double *wide = attn_matrix_new(1, count, error);
    for (size_t i = 0; wide && x && i < count; i++)
        wide[i] = (double)x[i];
    return wide;
}

/* Rows of heads out of key/value heads: query head i uses number i / (heads / kv_heads). */
static void stack_heads(double *weight, double *bias, const attn_linear *w, const attn_geometry *g,
                        size_t kv_heads) {
    size_t d_k = attn_head_dim(g), d = g->d_model, group = g->num_heads / kv_heads;
    for (size_t row = 0; row < d; row++) {
        size_t from = row / d_k / group * d_k + row % d_k;
        for (size_t i = 0; i < d; i++)
            weight[row * d + i] = (double)w->weight[from * d + i];
        bias[row] = w->bias ? (double)w->bias[from] : 0.0;
    }
}

/* mla: the second stage applied to the first, head by head: [d, R] and [d], in place. */
static int apply_second_stage(double *expand, double *bias, const attn_linear *b, const attn_geometry *g,
                              attn_error *error) {
    size_t d_k = attn_head_dim(g), rank = g->latent_dim;
    double *stage = widened(b->weight, g->d_model * d_k, error),
           *rows = attn_matrix_new(d_k, rank + 1, error);
    int result = stage && rows ? 0 : -1;
    for (size_t head = 0; !result && head < g->num_heads; head++) {
        const double *second = stage + head * d_k * d_k;
        double *mine = expand + head * d_k * rank, *my_bias = bias + head * d_k;
        attn_matrix_multiply(rows, second, false, mine, false, d_k, rank, d_k);
        memcpy(mine, rows, d_k * rank * sizeof *mine);
        attn_matrix_multiply(rows, second, false, my_bias, false, d_k, 1, d_k);
        for (size_t i = 0; i < d_k; i++)
            my_bias[i] = rows[i] + (b->bias ? (double)b->bias[head * d_k + i] : 0.0);
    }
    attn_free(stage);
    attn_free(rows);
    return result;
}

/* weight [d, d] and bias [d] = expand (compress x + c) + e. */
static int stack_latent(double *weight, double *bias, const attn_layer *layer, const attn_linear *expansion,
                        const attn_linear *second, attn_error *error) {
    const attn_geometry *g = &layer->geometry;
    size_t d = g->d_model, rank = g->latent_dim;
    int result = -1;
    double *compress = widened(layer->kv_compress.weight, rank * d, error);
    double *latent_bias = widened(layer->kv_compress.bias, rank, error);
    double *expand = widened(expansion->weight, d * rank, error), *e = widened(expansion->bias, d, error);
    if (!compress || !latent_bias || !expand || !e ||
        (second && apply_second_stage(expand, e, second, g, error)))
        goto done;
    attn_matrix_multiply(weight, expand, false, compress, false, d, d, rank);
    attn_matrix_multiply(bias, expand, false, latent_bias, false, d, 1, rank);
    for (size_t i = 0; i < d; i++)
        bias[i] += e[i];
    result = 0;
done:
    attn_free(compress);
    attn_free(latent_bias);
    attn_free(expand);
    attn_free(e);
    return result;
}

int attn_stack_make(attn_stack *stack, const attn_layer *layer, const attn_variant *variant,
                    attn_error *error) {
    const attn_geometry *g = &layer->geometry;
    size_t d = g->d_model, kv_heads = attn_kv_heads(g);
    *stack = (attn_stack){.d_model = d};
    if (!variant->is_softmax)
        return attn_fail(error, "attention_type: %s attention has no keys and values to convert",
                         variant->name);
    if (d > ATTN_MATRIX_MAX)
        return attn_fail(error, "d_model: found %zu, expected at most %d to convert", d, ATTN_MATRIX_MAX);
    stack->weight = attn_matrix_new(2 * d, d, error);
    stack->bias = attn_matrix_new(2, d, error);
    if (!stack->weight || !stack->bias)
        return -1;
    if (!variant->has_latent) {
        stack_heads(stack->weight, stack->bias, &layer->k_proj, g, kv_heads);
        stack_heads(stack->weight + d * d, stack->bias + d, &layer->v_proj, g, kv_heads);
        return 0;
    }
    bool two_stages = layer->k_expand_b.weight != NULL;
    if (stack_latent(stack->weight, stack->bias, layer, two_stages ? &layer->k_expand_a : &layer->k_expand,
                     two_stages ? &layer->k_expand_b : NULL, error))
        return -1;
    return stack_latent(stack->weight + d * d, stack->bias + d, layer,
                        two_stages ? &layer->v_expand_a : &layer->v_expand,
                        two_stages ? &layer->v_expand_b : NULL, error);
}

void attn_stack_free(attn_stack *stack) {
    attn_free(stack->weight);
    attn_free(stack->bias);
    *stack = (attn_stack){0};
}

static void copy_floats(float *to, const float *from, size_t count) {
    if (to && from)
        memmove(to, from, count * sizeof *to);
    else if (to)
        memset(to, 0, count * sizeof *to);
}

void attn_copy_queries(attn_layer *to, const attn_layer *from) {
    size_t d = from->geometry.d_model;
    copy_floats(to->q_proj.weight, from->q_proj.weight, d * d);
    copy_floats(to->q_proj.bias, from->q_proj.bias, d);
    copy_floats(to->out_proj.weight, from->out_proj.weight, d * d);
    copy_floats(to->out_proj.bias, from->out_proj.bias, d);
    copy_floats(to->linear_pos.weight, from->linear_pos.weight, d * d);
    copy_floats(to->pos_bias_u, from->pos_bias_u, d);
    copy_floats(to->pos_bias_v, from->pos_bias_v, d);
}

static void narrow(float *to, const double *from, size_t count) {
    for (size_t i = 0; to && i < count; i++)
        to[i] = (float)from[i];
}

int attn_fold_layer(attn_layer *mha, const attn_layer *from, const attn_variant *variant, attn_error *error) {
    attn_stack stack = {0};
    attn_geometry g = from->geometry;
    g.num_kv_heads = g.latent_dim = 0;
    size_t d = g.d_model;
    int result = -1;
    bool is_new = !mha->q_proj.weight;
    if (attn_stack_make(&stack, from, variant, error) ||
        (is_new && attn_layer_create(mha, attn_variant_find("mha"), &g, 0, error)))
        goto done;
    attn_copy_queries(mha, from);
    narrow(mha->k_proj.weight, stack.weight, d * d);
    narrow(mha->v_proj.weight, stack.weight + d * d, d * d);
    narrow(mha->k_proj.bias, stack.bias, d);
    narrow(mha->v_proj.bias, stack.bias + d, d);
    result = 0;
done:
    attn_stack_free(&stack);
    return result;
}
