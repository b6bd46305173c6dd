/* Work of a pass, shared by the threads in use (attn/threads.h). What a part computes depends on the number of threads
 * alone; sums over parts are taken in their order. So the same number of threads gives the same bits. */
#ifndef TRAIN_SHARE_H
#define TRAIN_SHARE_H

#include "attn/threads.h"
#include "impl/train/passes/pass.h"

/* Things begin .. end - 1, of part number `part`. */
typedef void attn_train_part(const void *context, size_t begin, size_t end, size_t part);

/* All of `count` things, cut at multiples of `unit`; a part without things is not called. */
void attn_train_share(size_t count, size_t unit, attn_train_part *work, const void *context);

/* The utterances of a batch, cut so that parts have about as many rows. */
void attn_train_share_utterances(const attn_ragged *rows, attn_train_part *work, const void *context);

/* Row functions over long arrays. glu and its gradient take rows of 2 n and n values. */
void attn_train_unary(void (*function)(attn_real *y, const attn_real *x, size_t n), attn_real *y,
                      const attn_real *x, size_t count);
void attn_train_binary(void (*function)(attn_real *y, const attn_real *a, const attn_real *b, size_t n),
                       attn_real *y, const attn_real *a, const attn_real *b, size_t count);
void attn_train_glu(attn_real *y, const attn_real *x, size_t rows, size_t n);
void attn_train_glu_backward(attn_real *dx, const attn_real *dy, const attn_real *x, size_t rows, size_t n);

#endif
