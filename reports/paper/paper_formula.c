#include "reports/paper/paper_formula.h"

double paper_layer_bytes(const paper_tables *tables, const paper_row *row, const paper_shape *shape,
                         size_t frames, attn_element type) {
    return (double)row->variant->cache_bytes(&shape->geometry, tables->batch, frames, type);
}

double paper_other_bytes(const paper_tables *tables, const char *type, const paper_shape *shape,
                         size_t frames) {
    const attn_variant *variant = attn_variant_find(type);
    attn_geometry g = {.d_model = shape->geometry.d_model, .num_heads = shape->geometry.num_heads};
    attn_geometry_complete(&g, variant, NULL, NULL);
    return (double)variant->cache_bytes(&g, tables->batch, frames, ATTN_ELEMENT_F32);
}
