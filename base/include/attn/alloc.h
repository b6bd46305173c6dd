/* Memory of libattn: 64-byte aligned, zero-filled, its size kept, so that live bytes are counted and not
 * computed. */
#ifndef ATTN_ALLOC_H
#define ATTN_ALLOC_H

#include "attn/error.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    ATTN_ALLOC_LARGE = 4 << 20
}; /* bytes from which a block asks for huge pages, which changes no count below */

/* count * size bytes, zero-filled (pages are untouched until written). NULL and an error naming `what` when the product
 * overflows or memory is refused. Free with attn_free. A count of 0 gives a valid empty block. */
void *attn_alloc(size_t count, size_t size, const char *what, attn_error *error);

/* Grows or shrinks a block of attn_alloc (NULL: a new one); added bytes are zero. On failure returns NULL and
 * the old block stays valid. */
void *attn_realloc(void *block, size_t count, size_t size, const char *what, attn_error *error);

/* Room for one more element of `size` bytes in a block that holds `count` of them (NULL: none yet): the block or, where
 * it is full, one for twice as many. On failure as attn_realloc. */
void *attn_grown(void *block, size_t count, size_t size, const char *what, attn_error *error);

void attn_free(void *block); /* NULL is fine */

/* A copy, and formatted text. attn_free them; NULL and an error when memory is refused. */
char *attn_strdup(const char *text, attn_error *error);
char *attn_format(attn_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

size_t attn_alloc_size(const void *block); /* bytes asked for when the block was allocated; 0 for NULL */
size_t attn_alloc_live(void);              /* bytes now held by all blocks */
size_t attn_alloc_peak(void);              /* the most that were held at once since attn_alloc_peak_restart */
void attn_alloc_peak_restart(void);

/* Calls visit for each block now held, in no order. It may not allocate or free. */
void attn_alloc_visit(void (*visit)(void *context, const void *block, size_t size), void *context);

/* Tests: the nth allocation from now on (1 is the next) is refused, and only that one; 0 switches this
 * off. */
void attn_alloc_fail_at(size_t nth);

/* 0, or -1 when the product or sum does not fit a size_t. */
int attn_multiply(size_t *product, size_t a, size_t b);
int attn_add(size_t *sum, size_t a, size_t b);

#ifdef __cplusplus
}
#endif
#endif
