/* Types of the elements of a cached row, and what converts them. Private to impl/. Pure.
 *
 *   f32    as it is
 *   f16    IEEE 754 binary16, rounded to nearest even
 *   bf16   the upper half of a float32, rounded to nearest even
 *   q8_0   blocks of 32: an f16 scale (the largest magnitude / 127), then 32 int8; the last block of a row
 *          that is no multiple of 32 is filled up with zeros
 *
 * A q8_0 block whose largest magnitude does not fit its scale (above 127 times 65504, or a NaN) has a scale
 * of infinity or NaN, so that what went in comes out as NaN and never as a wrong number. */
#ifndef ATTN_ELEMENT_H
#define ATTN_ELEMENT_H

#include <stddef.h>
#include <stdint.h>

typedef enum attn_element {
    ATTN_ELEMENT_F32,
    ATTN_ELEMENT_F16,
    ATTN_ELEMENT_BF16,
    ATTN_ELEMENT_Q8_0
} attn_element;
enum { ATTN_ELEMENTS = 4 };
/* Their names, in this order, are attn_kv_dtype_names. */

enum { ATTN_Q8_VALUES = 32 };
typedef struct attn_q8_block {
    uint16_t scale; /* f16 */
    int8_t value[ATTN_Q8_VALUES];
} attn_q8_block;

/* Bytes of a row of `values` values. */
size_t attn_element_row_bytes(attn_element type, size_t width);

/* One row in either direction. Rows need the alignment of their elements (q8_0: 2 bytes). */
void attn_element_store(void *row, const float *x, size_t width, attn_element type);
void attn_element_load(float *x, const void *row, size_t width, attn_element type);

#endif
