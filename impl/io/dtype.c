#include "impl/io/dtype.h"

#include <stdint.h>
#include <string.h>

static const dtype_row rows[] = {
    {"F32", 32, ATTN_F32},      {"F16", 16, ATTN_F16},      {"BF16", 16, ATTN_BF16},
    {"F64", 64, ATTN_OTHER},    {"C64", 64, ATTN_OTHER},    {"I64", 64, ATTN_OTHER},
    {"U64", 64, ATTN_OTHER},    {"I32", 32, ATTN_OTHER},    {"U32", 32, ATTN_OTHER},
    {"I16", 16, ATTN_OTHER},    {"U16", 16, ATTN_OTHER},    {"I8", 8, ATTN_OTHER},
    {"U8", 8, ATTN_OTHER},      {"BOOL", 8, ATTN_OTHER},    {"F8_E4M3", 8, ATTN_OTHER},
    {"F8_E5M2", 8, ATTN_OTHER}, {"F8_E8M0", 8, ATTN_OTHER}, {"F6_E2M3", 6, ATTN_OTHER},
    {"F6_E3M2", 6, ATTN_OTHER}, {"F4", 4, ATTN_OTHER},
};

const dtype_row *dtype_find(const char *name) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction. Every value is exact in float32. */
static uint32_t widen_f16(uint16_t half) {
    enum { BIAS_STEP = 127 - 15, SHIFT = 23 - 10 };
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
    if (exponent == 0x1f) /* inf and NaN, the payload kept */
        return sign | 0x7f800000 | fraction << SHIFT;
    if (exponent)
        return sign | (exponent + BIAS_STEP) << 23 | fraction << SHIFT;
    if (!fraction)
        return sign;
    /* A subnormal, fraction * 2^-24, is normal in float32: move its leading one to the implicit bit. */
    uint32_t shift = (uint32_t)__builtin_clz(fraction) - (31 - 10);
    return sign | (1 + BIAS_STEP - shift) << 23 | (fraction << shift & 0x3ff) << SHIFT;
}

void attn_safetensor_floats(const attn_safetensor *tensor, float *out) {
    uint16_t half;
    switch (tensor->dtype) {
    case ATTN_F32:
        if (tensor->count)
            memcpy(out, tensor->data, tensor->count * sizeof *out);
        break;
    case ATTN_F16:
        for (size_t i = 0; i < tensor->count; i++) {
            memcpy(&half, tensor->data + 2 * i, sizeof half);
            out[i] = from_bits(widen_f16(half));
        }
        break;
    case ATTN_BF16: /* the upper half of a float32 */
        for (size_t i = 0; i < tensor->count; i++) {
            memcpy(&half, tensor->data + 2 * i, sizeof half);
            out[i] = from_bits((uint32_t)half << 16);
        }
        break;
    case ATTN_OTHER:
        break;
    }
}
