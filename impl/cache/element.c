#include "attn/element.h"

#include <math.h>
#include <string.h>

const char *const attn_kv_dtype_names[] = {"f32", "f16", "bf16", "q8_0", NULL};

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Drops the lowest `count` bits, to nearest even; a carry into the exponent is the next power of two. */
static uint32_t round_off(uint32_t bits, unsigned count) {
    uint32_t half = 1u << (count - 1);
    return (bits + half - 1 + (bits >> count & 1)) >> count;
}

enum { F16_INFINITY = 0x7c00, F16_QUIET = 0x0200, BF16_QUIET = 0x0040 };

static uint16_t narrow_f16(float x) {
    uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000, size = bits & 0x7fffffff;
    uint32_t half;
    if (size > 0x7f800000)
        half = F16_INFINITY | F16_QUIET;
    else if (size >= bits_of(65520.0f)) /* halfway from the largest, 65504, to the next */
        half = F16_INFINITY;
    else if (size < bits_of(0x1p-14f)) /* subnormal: in units of 2^-24, rounded by the addition */
        half = bits_of(from_bits(size) + 0.5f) - bits_of(0.5f);
    else
        half = round_off(size, 13) - ((127 - 15) << 10);
    return (uint16_t)(sign | half);
}

static float widen_f16(uint16_t half) {
    uint32_t size = (uint32_t)(half & 0x7fff) << 13;
    float x = from_bits(size) * 0x1p112f; /* exponents are 112 apart; exact for subnormals too */
    if (size >= 0x7c00u << 13)
        x = from_bits(size | 0x7f800000);
    return half & 0x8000 ? -x : x;
}

static uint16_t narrow_bf16(float x) {
    uint32_t bits = bits_of(x);
    return (uint16_t)(x != x ? bits >> 16 | BF16_QUIET : round_off(bits, 16));
}

static float widen_bf16(uint16_t half) {
    return from_bits((uint32_t)half << 16);
}

static void store_q8(attn_q8_block *block, const float *x, size_t count) {
    float largest = 0.0f, scale, inverse;
    for (size_t i = 0; i < count; i++)
        if (fabsf(x[i]) > largest || isnan(x[i])) /* a NaN stays: nothing is larger */
            largest = fabsf(x[i]);
    *block = (attn_q8_block){.scale = narrow_f16(largest / 127.0f)};
    scale = widen_f16(block->scale);
    if (!(scale > 0.0f && scale < INFINITY)) {
        if (scale != 0.0f)
            block->scale = F16_INFINITY | F16_QUIET;
        return;
    }
    inverse = 1.0f / scale;
    for (size_t i = 0; i < count; i++) {
        float value = roundf(x[i] * inverse);
        block->value[i] = (int8_t)(value > 127.0f ? 127.0f : value < -127.0f ? -127.0f : value);
    }
}

static size_t q8_blocks(size_t width) {
    return (width + ATTN_Q8_VALUES - 1) / ATTN_Q8_VALUES;
}

static size_t in_block(size_t width, size_t at) {
    return width - at < ATTN_Q8_VALUES ? width - at : ATTN_Q8_VALUES;
}

size_t attn_element_row_bytes(attn_element type, size_t width) {
    switch (type) {
    case ATTN_ELEMENT_F32:
        return width * sizeof(float);
    case ATTN_ELEMENT_F16:
    case ATTN_ELEMENT_BF16:
        return width * sizeof(uint16_t);
    case ATTN_ELEMENT_Q8_0:
        return q8_blocks(width) * sizeof(attn_q8_block);
    }
    return 0;
}

void attn_element_store(void *row, const float *x, size_t width, attn_element type) {
    uint16_t *half = row;
    attn_q8_block *block = row;
    switch (type) {
    case ATTN_ELEMENT_F32:
        memcpy(row, x, width * sizeof *x);
        break;
    case ATTN_ELEMENT_F16:
        for (size_t i = 0; i < width; i++)
            half[i] = narrow_f16(x[i]);
        break;
    case ATTN_ELEMENT_BF16:
        for (size_t i = 0; i < width; i++)
            half[i] = narrow_bf16(x[i]);
        break;
    case ATTN_ELEMENT_Q8_0:
        for (size_t i = 0; i < width; i += ATTN_Q8_VALUES)
            store_q8(block + i / ATTN_Q8_VALUES, x + i, in_block(width, i));
        break;
    }
}

void attn_element_load(float *x, const void *row, size_t width, attn_element type) {
    const uint16_t *half = row;
    const attn_q8_block *block = row;
    switch (type) {
    case ATTN_ELEMENT_F32:
        memcpy(x, row, width * sizeof *x);
        break;
    case ATTN_ELEMENT_F16:
        for (size_t i = 0; i < width; i++)
            x[i] = widen_f16(half[i]);
        break;
    case ATTN_ELEMENT_BF16:
        for (size_t i = 0; i < width; i++)
            x[i] = widen_bf16(half[i]);
        break;
    case ATTN_ELEMENT_Q8_0:
        for (size_t i = 0; i < width; i++)
            x[i] = widen_f16(block[i / ATTN_Q8_VALUES].scale) *
                   (float)block[i / ATTN_Q8_VALUES].value[i % ATTN_Q8_VALUES];
        break;
    }
}

double attn_element_rounding(attn_element type) {
    switch (type) {
    case ATTN_ELEMENT_F32:
        return 0.0;
    case ATTN_ELEMENT_F16:
        return 0x1p-11;
    case ATTN_ELEMENT_BF16:
        return 0x1p-8;
    case ATTN_ELEMENT_Q8_0: /* the scale itself is rounded to f16, which moves 127 steps of it */
        return 0.5 / 127.0 + 0x1p-11;
    }
    return 0.0;
}
