/* Keys and values of a layer as one affine map. Private to impl/convert. */
#ifndef IMPL_CONVERT_STACK_H
#define IMPL_CONVERT_STACK_H

#include "attn/attention.h"

/* y = weight x + bias: keys of every head, then values of every head. */
typedef struct attn_stack {
    double *weight; /* [2 d_model, d_model] */
    double *bias;   /* [2 d_model] */
    size_t d_model;
} attn_stack;

int attn_stack_make(attn_stack *stack, const attn_layer *layer, const attn_variant *variant,
                    attn_error *error);
void attn_stack_free(attn_stack *stack);

/* q_proj, out_proj and positions as they are in `from`. */
void attn_copy_queries(attn_layer *to, const attn_layer *from);

#endif
