/* Fused attention of several key/value heads, on the threads in use (attn/threads.h). Private to impl/. Pure.
 *
 * Where there are tiles of rows enough to go round, each thread takes some of them. Where there are not (one query, few
 * heads, or the latents that all heads of MLA share), each takes some of the keys for all rows: then it has, for every
 * row, the largest of its scores times log2 e, m_p, the sum of its weights s_p and its context c_p without the factor
 * 1 / s_p, and the context of all keys is
 *
 *   sum_p 2^(m_p - m) c_p / sum_p 2^(m_p - m) s_p,   m = max_p m_p
 *
 * (Flash-Decoding: Dao et al. 2023), added in the order of the keys. */
#ifndef ATTN_ATTEND_SHARED_H
#define ATTN_ATTEND_SHARED_H

#include "impl/kernels/attend.h"

/* `count` calls that differ in where their operands begin: by how much, from one call to the next. */
typedef struct attn_attend_heads {
    attn_attend_call call; /* the first; all rows, without `partial` */
    size_t count;
    size_t out, q, position; /* floats */
    size_t k, v;             /* bytes */
} attn_attend_heads;

/* Workspace: attn_attend_shared_floats for as many threads as are in use. */
void attn_attend_shared(const attn_attend_heads *heads, float *workspace);
size_t attn_attend_shared_floats(size_t k_width, size_t v_width, size_t threads);

#endif
