/* Weights of linear maps in panels: what is packed once when a model opens. Private to impl/. Pure.
 *
 * A panel holds ATTN_PANEL outputs, [in, ATTN_PANEL], and is filled up with zeros; panels lie one after the other. */
#ifndef IMPL_KERNELS_PANELS_H
#define IMPL_KERNELS_PANELS_H

#include <stdbool.h>
#include <stddef.h>

enum { ATTN_PANEL = 16 };

/* Whether the kernels for attn_cpu_isa() are faster with panels than OpenBLAS with the weight as it is. */
bool attn_panels_pay(void);

size_t attn_panels_floats(size_t out, size_t in);
/* Element (o, i) of the weight is at o step_out + i step_in floats. */
void attn_panels_fill(float *panels, const float *weight, size_t step_out, size_t step_in, size_t out,
                      size_t in);

#endif
