#include "attn/layer.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "impl/attention/variant.h"

#include <math.h>
#include <stdio.h>

int attn_visit_tensor(attn_tensor_visitor *visit, void *context, const char *name, float **data,
                      size_t offset, size_t rows, size_t columns, attn_error *error) {
    attn_tensor tensor = {.data = data, .offset = offset, .rank = columns ? 2 : 1, .dims = {rows, columns}};
    snprintf(tensor.name, sizeof tensor.name, "%s", name);
    return visit(context, &tensor, error);
}

int attn_visit_weight(attn_tensor_visitor *visit, void *context, const char *name, attn_linear *map,
                      size_t offset, size_t rows, size_t columns, attn_error *error) {
    attn_tensor tensor = {
        .data = &map->weight, .offset = offset, .rank = 2, .dims = {rows, columns}, .map = map};
    snprintf(tensor.name, sizeof tensor.name, "%s", name);
    return visit(context, &tensor, error);
}

int attn_visit_linear(attn_tensor_visitor *visit, void *context, const char *name, attn_linear *linear,
                      size_t out, size_t in, attn_error *error) {
    char full[64];
    linear->out = out;
    linear->in = in;
    snprintf(full, sizeof full, "%s.weight", name);
    if (attn_visit_weight(visit, context, full, linear, 0, out, in, error))
        return -1;
    snprintf(full, sizeof full, "%s.bias", name);
    return attn_visit_tensor(visit, context, full, &linear->bias, 0, out, 0, error);
}

static int visit_positions(attn_layer *layer, attn_tensor_visitor *visit, void *context, attn_error *error) {
    const attn_geometry *g = &layer->geometry;
    if (!attn_has_rel_pos(g))
        return 0;
    layer->linear_pos.out = layer->linear_pos.in = g->d_model;
    if (attn_visit_weight(visit, context, "linear_pos.weight", &layer->linear_pos, 0, g->d_model, g->d_model,
                          error) ||
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

typedef struct placement {
    float *next;
    uint64_t random;
} placement;

static int place(void *context, const attn_tensor *t, attn_error *error) {
    placement *p = context;
    size_t rows = t->dims[0], columns = t->rank > 1 ? t->dims[1] : 1;
    (void)error;
    if (!t->offset)
        *t->data = p->next;
    attn_random_uniform(p->next, rows * columns, 1.0f / sqrtf((float)(t->rank > 1 ? columns : rows)),
                        &p->random);
    p->next += rows * columns;
    return 0;
}

int attn_layer_create(attn_layer *layer, const attn_variant *variant, const attn_geometry *geometry,
                      uint64_t seed, attn_error *error) {
    *layer = (attn_layer){.geometry = *geometry};
    layer->memory =
        attn_alloc(attn_layer_parameters(variant, geometry), sizeof(float), "attention weights", error);
    if (!layer->memory)
        return -1;
    placement p = {.next = layer->memory, .random = seed};
    return attn_layer_tensors(layer, variant, place, &p, error);
}

void attn_layer_free(attn_layer *layer) {
    attn_free(layer->memory);
    attn_free(layer->packed);
    *layer = (attn_layer){0};
}
