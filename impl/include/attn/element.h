/* Types that the rows of a KV cache are kept in (kv_dtype): their bytes, and what converts them. Pure.
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

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attn_element {
    ATTN_ELEMENT_F32,
    ATTN_ELEMENT_F16,
    ATTN_ELEMENT_BF16,
    ATTN_ELEMENT_Q8_0
} attn_element;
enum { ATTN_ELEMENTS = 4 };
extern const char *const attn_kv_dtype_names[]; /* "f32", "f16", "bf16", "q8_0", NULL */

enum { ATTN_Q8_VALUES = 32 };
typedef struct attn_q8_block {
    uint16_t scale; /* f16 */
    int8_t value[ATTN_Q8_VALUES];
} attn_q8_block;

/* Bytes of a row of `width` values: width elements or, of q8_0, ceil(width / 32) blocks of 34. Every number of bytes of
 * a cache, by formula or allocated, counts rows of this size. */
size_t attn_element_row_bytes(attn_element type, size_t width);

/* One row in either direction. Rows need the alignment of their elements (q8_0: 2 bytes). */
void attn_element_store(void *row, const float *x, size_t width, attn_element type);
void attn_element_load(float *x, const void *row, size_t width, attn_element type);

/* The most that a value changes when it is stored, as a share of the largest magnitude in its row (of numbers that f16
 * does not call subnormal): half a step between two neighbours. 0 for f32. */
double attn_element_rounding(attn_element type);

#ifdef __cplusplus
}
#endif
#endif
