/* The steps of converting one layer. Private to impl/convert. */
#ifndef IMPL_CONVERT_LAYER_H
#define IMPL_CONVERT_LAYER_H

#include "impl/convert/inputs.h"
#include "impl/convert/stack.h"

/* A rank-R map: y = expand (compress x) + bias. */
typedef struct attn_factors {
    size_t rank, d_model;
    double *compress; /* [rank, d_model] */
    double *expand;   /* [2 d_model, rank] */
    double *bias;     /* [2 d_model] */
} attn_factors;

/* moments NULL: no inputs are known (activation needs them). */
int attn_factors_make(attn_factors *f, const attn_stack *stack, const attn_convert_target *target,
                      const attn_moments *moments, attn_error *error);
void attn_factors_free(attn_factors *f);

/* Weighs keys against values: what keys are to be multiplied with before their error is taken. */
int attn_key_weight(double *weight, const attn_stack *stack, bool balance, const double *root,
                    attn_error *error);

/* The stacked weights with the keys multiplied; attn_free it. */
double *attn_weigh(const attn_stack *stack, double key_weight, attn_error *error);

/* gqa: the new order of heads, head `order[p]` of the old ones at place p, [num_heads]. */
int attn_group_heads(size_t *order, const attn_stack *stack, const attn_geometry *g,
                     const attn_convert_target *target, const attn_moments *moments, attn_error *error);
/* Writes `to`, which has its memory and geometry. */
void attn_pool_heads(attn_layer *to, const attn_layer *mha, const attn_stack *stack, const size_t *order);

/* Fills the report from what `other` really computes. `stack` is the mha layer's; its heads are put into the
 * other's order. */
int attn_measure_layer(attn_convert_report *report, attn_stack *stack, const attn_layer *mha,
                       const attn_layer *other, const attn_variant *other_variant,
                       const attn_moments *moments, attn_error *error);

int attn_convert_check(const attn_convert_target *target, const attn_geometry *g, attn_error *error);

/* attn_convert_layer for whoever has the moments already. */
int attn_convert_with(attn_layer *to, attn_convert_report *report, const attn_layer *mha,
                      const attn_convert_target *target, const attn_moments *moments, attn_error *error);

/* curve->left in the method's measure; see attn_error_curve. */
int attn_error_curve_make(attn_error_curve *curve, const attn_layer *mha, const attn_convert_target *target,
                          const attn_moments *moments, attn_error *error);

#endif
