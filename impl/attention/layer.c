#include "attn/alloc.h"
#include "attn/attention.h"
#include "attn/random.h"

#include <math.h>

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
    *layer = (attn_layer){0};
}
