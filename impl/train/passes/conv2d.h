/* A 3x3 stride-2 convolution without padding, and ReLU, over one utterance; channels last. Frame t, bin f of
 * the output sees frames 2 t .. 2 t + 2 and bins 2 f .. 2 f + 2. */
#ifndef TRAIN_CONV2D_H
#define TRAIN_CONV2D_H

#include "impl/train/passes/real.h"

#include <stdbool.h>

typedef struct attn_conv2d {
    size_t out, in, bins, width; /* channels; bins of the input and of the output */
    attn_real *packed,
        *dpacked;       /* [out, 3, 3, in]: weight [out, in, 3, 3] with the channel last; its gradient */
    attn_real *patches; /* [attn_conv2d_tile, 9 in] */
} attn_conv2d;

enum { ATTN_CONV2D_ROWS = 256 };               /* least positions (frame, bin) worked on together */
size_t attn_conv2d_tile(const attn_conv2d *c); /* positions together: whole frames */

void attn_conv2d_pack(attn_conv2d *c, const attn_real *weight);
void attn_conv2d_add_gradient(const attn_conv2d *c, attn_real *dweight); /* dweight += dpacked, unpacked */

/* y [frames, width, out] from x [2 frames + 1, bins, in]. */
void attn_conv2d_forward(attn_real *y, const attn_real *x, const attn_conv2d *c, const attn_real *bias,
                         size_t frames);
/* dy is overwritten (0 where y is 0); dx (NULL: not wanted), dpacked and dbias are added to. */
void attn_conv2d_backward(attn_real *dx, attn_real *dbias, attn_real *dy, const attn_real *y,
                          const attn_real *x, const attn_conv2d *c, size_t frames);

#endif
