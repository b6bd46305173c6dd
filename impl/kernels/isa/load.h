/* Rows of cached elements, converted while reading: one place for all types. `type` is a constant wherever
 * these are called, so that nothing is left of the choice. c is a multiple of VL. */
#ifndef KERNELS_ISA_LOAD_H
#define KERNELS_ISA_LOAD_H

#include "attn/element.h"
#include "impl/kernels/isa/vec.h"

INLINE const attn_q8_block *q8_block(const char *row, size_t c) {
    return (const attn_q8_block *)(const void *)row + c / ATTN_Q8_VALUES;
}

INLINE vec load_q8(const char *row, size_t c) {
    const attn_q8_block *block = q8_block(row, c);
    return widen_i8(block->value + c % ATTN_Q8_VALUES) * half_to_float(block->scale);
}

/* Where the value c of a row lies (for q8_0 its block). */
INLINE const char *element_at(const char *row, size_t c, attn_element type) {
    switch (type) {
    case ATTN_ELEMENT_F16:
    case ATTN_ELEMENT_BF16:
        return row + c * sizeof(uint16_t);
    case ATTN_ELEMENT_Q8_0:
        return row + c / ATTN_Q8_VALUES * sizeof(attn_q8_block);
    default:
        return row + c * sizeof(float);
    }
}

/* Values c .. c + VL - 1 of a row. */
INLINE vec load_element(const char *row, size_t c, attn_element type) {
    switch (type) {
    case ATTN_ELEMENT_F16:
        return widen_f16((const uint16_t *)(const void *)row + c);
    case ATTN_ELEMENT_BF16:
        return widen_bf16((const uint16_t *)(const void *)row + c);
    case ATTN_ELEMENT_Q8_0:
        return load_q8(row, c);
    default:
        return load((const float *)(const void *)row + c);
    }
}

/* The first n < VL of them; the rest are 0 (a block of q8_0 is padded with zeros, and read whole). */
INLINE vec load_element_part(const char *row, size_t c, size_t n, attn_element type) {
    uint16_t half[VL] = {0};
    switch (type) {
    case ATTN_ELEMENT_F16:
        memcpy(half, (const uint16_t *)(const void *)row + c, n * sizeof *half);
        return widen_f16(half);
    case ATTN_ELEMENT_BF16:
        memcpy(half, (const uint16_t *)(const void *)row + c, n * sizeof *half);
        return widen_bf16(half);
    case ATTN_ELEMENT_Q8_0:
        return load_q8(row, c);
    default:
        return load_part((const float *)(const void *)row + c, n);
    }
}

#endif
