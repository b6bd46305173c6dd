#include "impl/io/dtype.h"

#include "attn/element.h"
#include "attn/size.h"

#include <stdint.h>
#include <string.h>

enum { HALVES = 1024 }; /* converted together */

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

/* Halves may be at any address. They are copied first: attn_element_load wants them aligned. */
static void load_halves(float *out, const unsigned char *data, size_t count, attn_element type) {
    uint16_t some[HALVES];
    for (size_t at = 0; at < count; at += HALVES) {
        size_t n = attn_smaller(HALVES, count - at);
        memcpy(some, data + at * sizeof *some, n * sizeof *some);
        attn_element_load(out + at, some, n, type);
    }
}

void attn_safetensor_floats(const attn_safetensor *tensor, float *out) {
    switch (tensor->dtype) {
    case ATTN_F32:
        if (tensor->count)
            memcpy(out, tensor->data, tensor->count * sizeof *out);
        break;
    case ATTN_F16:
        load_halves(out, tensor->data, tensor->count, ATTN_ELEMENT_F16);
        break;
    case ATTN_BF16:
        load_halves(out, tensor->data, tensor->count, ATTN_ELEMENT_BF16);
        break;
    case ATTN_OTHER:
        break;
    }
}
