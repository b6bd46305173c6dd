/* The element types of safetensors files. */
#ifndef IMPL_IO_DTYPE_H
#define IMPL_IO_DTYPE_H

#include "attn/safetensors.h"

typedef struct dtype_row {
    const char *name;
    size_t bits; /* of one element */
    attn_dtype dtype;
} dtype_row;

const dtype_row *dtype_find(const char *name); /* NULL when unknown */

#endif
