/* What a peer reads: named tensors, in a safetensors file that is in memory alone. Private to bench/. */
#ifndef BENCH_PEERS_TENSORS_H
#define BENCH_PEERS_TENSORS_H

#include "attn/cache.h"
#include "attn/layer.h"
#include "bench/case.h"

enum { PEER_TENSOR_NAME = 96, PEER_TENSOR_RANK = 4 };

typedef struct peer_tensor {
    char name[PEER_TENSOR_NAME];
    size_t rank, dims[PEER_TENSOR_RANK];
    const float *data;
    float *own; /* data that the list frees; NULL: data of others */
} peer_tensor;

typedef struct peer_tensors {
    peer_tensor *list;
    size_t count;
    size_t out_rank, out_dims[PEER_TENSOR_RANK]; /* of the output that is expected */
    size_t first;                                /* place of the first frame in its stream */
} peer_tensors;

void peer_tensors_free(peer_tensors *t); /* a zeroed one is fine */

/* data must outlive the list. */
int peer_tensors_add(peer_tensors *t, const char *name, size_t rank, const size_t *dims, const float *data,
                     attn_error *error);

/* Adds a tensor and returns its memory, to be filled; the list frees it. NULL and an error when there is none. */
float *peer_tensors_new(peer_tensors *t, const char *name, size_t rank, const size_t *dims,
                        attn_error *error);

/* The newest frames that a cache holds, at most `most`, as floats: PREFIXk [B, heads, L, width] and so on. */
int peer_tensors_add_cache(peer_tensors *t, const char *prefix, const attn_cache *cache, size_t most,
                           attn_error *error);

void peer_tensors_set_output(peer_tensors *t, size_t rank, const size_t *dims);
size_t peer_tensors_output_floats(const peer_tensors *t);

/* An attn_tensor_visitor: adds every weight; context: the list. */
int peer_tensors_visit(void *context, const attn_tensor *tensor, attn_error *error);

/* The file's descriptor, which children inherit; -1 and an error. Its tensor `case` (U8) is JSON: the fields of the case,
 * `out`, the shape of the output, and `first`. */
int peer_tensors_write(const peer_tensors *t, const bench_case *c, attn_error *error);

#endif
