/* NumPy .npy files: little-endian float32, C order. */
#ifndef ATTN_NPY_H
#define ATTN_NPY_H

#include "attn/error.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ATTN_NPY_RANK = 4 };

typedef struct attn_array {
    float *data; /* attn_free it */
    size_t rank, dims[ATTN_NPY_RANK];
} attn_array;

/* Reads a file of 1 to 4 axes. Another dtype, Fortran order, a wrong size or trailing bytes are errors that
 * say so. Returns 0, or -1 and an error naming the file, array zeroed. */
int attn_npy_read(attn_array *array, const char *path, attn_error *error);
/* The same from bytes; `name` stands for the file in messages. */
int attn_npy_parse(attn_array *array, const char *bytes, size_t size, const char *name, attn_error *error);
/* data [dims[0], .., dims[rank - 1]]. Returns 0, or -1 and an error, with nothing left behind. */
int attn_npy_write(const char *path, const float *data, size_t rank, const size_t *dims, attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
