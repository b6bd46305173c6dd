#include "impl/attention/pack.h"

#include "attn/alloc.h"
#include "attn/memory.h"
#include "attn/size.h"
#include "impl/attention/variant.h"
#include "impl/kernels/panels.h"

typedef struct panels_writer {
    float *next; /* NULL while measuring */
    size_t floats;
} panels_writer;

/* A stack comes in parts, and is packed as a whole at the first. */
static int pack_map(void *context, const attn_tensor *tensor, attn_error *error) {
    panels_writer *p = context;
    attn_linear *map = tensor->map;
    (void)error;
    if (!map || tensor->offset)
        return 0;
    size_t floats = attn_panels_floats(map->out, map->in);
    if (p->next) {
        attn_panels_fill(p->next, map->weight, map->in, 1, map->out, map->in);
        map->panels = p->next;
        p->next += floats;
    }
    p->floats = attn_plus(p->floats, floats);
    return 0;
}

int attn_pack(float **packed, attn_pack_visit *visit, void *owner, attn_error *error) {
    panels_writer p = {0};
    if (!attn_panels_pay() || *packed)
        return 0;
    if (visit(owner, pack_map, &p, error) ||
        attn_memory_check((double)p.floats * sizeof(float), "packed weights", error))
        return -1;
    *packed = attn_alloc(p.floats, sizeof(float), "packed weights", error);
    if (!*packed)
        return -1;
    p.next = *packed;
    return visit(owner, pack_map, &p, error);
}

/* A layer and its variant. */
typedef struct typed_layer {
    attn_layer *layer;
    const attn_variant *variant;
} typed_layer;

static int visit_layer(void *owner, attn_tensor_visitor *visit, void *packing, attn_error *error) {
    typed_layer *t = owner;
    return attn_layer_tensors(t->layer, t->variant, visit, packing, error);
}

int attn_layer_pack(attn_layer *layer, const attn_variant *variant, attn_error *error) {
    typed_layer t = {layer, variant};
    return attn_pack(&layer->packed, visit_layer, &t, error);
}
