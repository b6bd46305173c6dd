#include "impl/encoder/walk.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

size_t attn_tensor_count(const attn_tensor *tensor) {
    size_t count = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

static int walk_tensor(const attn_walk *walk, const char *name, const char *suffix, attn_tensor tensor,
                       const size_t *dims) {
    memcpy(tensor.dims, dims, tensor.rank * sizeof *dims);
    int length =
        snprintf(tensor.name, sizeof tensor.name, "%s%s%s%s", walk->prefix, name, *suffix ? "." : "", suffix);
    if (length < 0 || (size_t)length >= sizeof tensor.name)
        return attn_fail(walk->error, "tensor name %s%s is too long", walk->prefix, name);
    return walk->visit(walk->context, &tensor, walk->error);
}

int attn_walk_tensor(const attn_walk *walk, const char *name, const char *suffix, float **data, size_t rank,
                     const size_t *dims) {
    return walk_tensor(walk, name, suffix, (attn_tensor){.data = data, .rank = rank}, dims);
}

static int walk_map(const attn_walk *walk, const char *name, attn_linear *linear, size_t rank,
                    const size_t *dims) {
    attn_tensor weight = {.data = &linear->weight, .rank = rank, .map = linear};
    linear->out = dims[0];
    linear->in = dims[1];
    if (walk_tensor(walk, name, "weight", weight, dims))
        return -1;
    return attn_walk_tensor(walk, name, "bias", &linear->bias, 1, dims);
}

int attn_walk_linear(const attn_walk *walk, const char *name, attn_linear *linear, size_t out, size_t in) {
    return walk_map(walk, name, linear, 2, (const size_t[]){out, in});
}

int attn_walk_pointwise(const attn_walk *walk, const char *name, attn_linear *linear, size_t out, size_t in) {
    return walk_map(walk, name, linear, 3, (const size_t[]){out, in, 1});
}

int attn_walk_layer_norm(const attn_walk *walk, const char *name, attn_norm *norm, size_t width) {
    norm->width = width;
    if (attn_walk_tensor(walk, name, "weight", &norm->weight, 1, &width))
        return -1;
    return attn_walk_tensor(walk, name, "bias", &norm->bias, 1, &width);
}

int attn_walk_batch_norm(const attn_walk *walk, const char *name, attn_norm *norm, size_t width) {
    if (attn_walk_layer_norm(walk, name, norm, width) ||
        attn_walk_tensor(walk, name, "running_mean", &norm->mean, 1, &width))
        return -1;
    return attn_walk_tensor(walk, name, "running_var", &norm->variance, 1, &width);
}

typedef struct attention_walk {
    const attn_walk *walk;
    const char *name;
} attention_walk;

static int visit_attention(void *context, const attn_tensor *tensor, attn_error *error) {
    const attention_walk *below = context;
    attn_tensor full = *tensor;
    int length = snprintf(full.name, sizeof full.name, "%s%s%s%s", below->walk->prefix, below->name,
                          *below->name ? "." : "", tensor->name);
    if (length < 0 || (size_t)length >= sizeof full.name)
        return attn_fail(error, "tensor name %s%s.%s is too long", below->walk->prefix, below->name,
                         tensor->name);
    return below->walk->visit(below->walk->context, &full, error);
}

int attn_walk_attention(const attn_walk *walk, const char *name, attn_layer *layer,
                        const attn_variant *variant) {
    attention_walk below = {walk, name};
    return attn_layer_tensors(layer, variant, visit_attention, &below, walk->error);
}

void attn_norm_free(attn_norm *norm) {
    attn_free(norm->weight);
    attn_free(norm->bias);
    attn_free(norm->mean);
    attn_free(norm->variance);
    *norm = (attn_norm){0};
}
