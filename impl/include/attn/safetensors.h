/* safetensors files: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
 * F32, F16 and BF16 are read (to float32); elements of any dtype are written as they are. */
#ifndef ATTN_SAFETENSORS_H
#define ATTN_SAFETENSORS_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ATTN_SAFETENSORS_RANK = 8 };

typedef enum attn_dtype { ATTN_F32, ATTN_F16, ATTN_BF16, ATTN_OTHER } attn_dtype;

typedef struct attn_safetensor {
    char *name;
    attn_dtype dtype; /* ATTN_OTHER may be listed, skipped and copied, but not converted */
    const char *dtype_name;
    size_t rank, dims[ATTN_SAFETENSORS_RANK];
    size_t count;              /* elements */
    size_t size;               /* bytes */
    const unsigned char *data; /* little-endian, unaligned, inside the mapped file */
} attn_safetensor;

typedef struct attn_safetensors attn_safetensors;

/* Opens and checks the whole header: lengths inside the file, shapes that match their byte ranges, ranges
 * that tile the data without holes or overlap, no duplicate names. Returns 0, or -1 and an error naming the
 * file. Tensors stay valid until attn_safetensors_close. */
int attn_safetensors_open(attn_safetensors **file, const char *path, attn_error *error);
/* The same from bytes, which stay the caller's and must outlive it; `name` stands for the file in messages. */
int attn_safetensors_parse(attn_safetensors **file, const unsigned char *bytes, size_t size, const char *name,
                           attn_error *error);
void attn_safetensors_close(attn_safetensors *file);

size_t attn_safetensors_count(const attn_safetensors *file);
const attn_safetensor *attn_safetensors_at(const attn_safetensors *file, size_t index); /* in file order */
const attn_safetensor *attn_safetensors_find(const attn_safetensors *file, const char *name); /* NULL: none */

/* Converts to float32: out has `count` floats. The dtype must not be ATTN_OTHER. */
void attn_safetensor_floats(const attn_safetensor *tensor, float *out);

/* A tensor to write. */
typedef struct attn_safetensors_entry {
    const char *name;
    size_t rank;
    const size_t *dims;
    const void *data;
    const char *dtype_name; /* of whole bytes; NULL: F32 */
    /* Not NULL: a tensor of another file, whose dtype, shape and bytes are written as they are; what is above, but for
     * the name, is not used. */
    const attn_safetensor *copy;
} attn_safetensors_entry;
/* A whole file, in the order of entries. Returns 0, or -1 and an error, with nothing left behind. */
int attn_safetensors_write(const char *path, const attn_safetensors_entry *entries, size_t count,
                           attn_error *error);
/* The same to a stream; the caller checks ferror. `name` stands for the stream in messages. */
int attn_safetensors_print(FILE *stream, const char *name, const attn_safetensors_entry *entries,
                           size_t count, attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
