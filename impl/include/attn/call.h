/* One call of attention, and what an implementation is. */
#ifndef ATTN_CALL_H
#define ATTN_CALL_H

#include "attn/cache.h"
#include "attn/geometry.h"
#include "attn/layer.h"
#include "attn/positions.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The two orders in which latent attention (mla, mla_simple) can be evaluated; the results are the same up to
 * rounding.
 *   expand   K and V are rebuilt from the latents, then attention as usual (DeepSeek-V2 2024, eq. 9-11)
 *   absorb   the key expansion is folded into the query and the value expansion into the output (section 2.1.2
 *            there)
 *   auto     the one with fewer FLOPs
 */
typedef enum attn_path { ATTN_PATH_AUTO, ATTN_PATH_EXPAND, ATTN_PATH_ABSORB } attn_path;
extern const char *const attn_path_names[]; /* "auto", "expand", "absorb", NULL */

typedef struct attn_call {
    const float *x;       /* [B, T, d_model] */
    size_t batch, frames; /* B, T */
    /* [B] valid frames since the stream began (padding is at or beyond them); NULL: all are valid. */
    const size_t *lengths;
    attn_path path; /* mla* */
    /* rel_pos*: what the positions of this call reach. Under rel_pos a position is query minus key,
     * -(T-1)..L-1; under rel_pos_wenet it is the key's stream position. NULL otherwise; the scalar references
     * work without. */
    const attn_sinusoids *sinusoids;
    /* Where it has every position of the call, implementations by matrix products neither project nor fold; the
     * scalar references pass it over. */
    attn_projected projected;
    long position_shift; /* added to every position: 0, but in checks that put a query elsewhere */
} attn_call;

/* One implementation of a variant. Its functions are pure: no allocation, no failure. */
typedef struct attn_impl {
    const char *name; /* "scalar", "blas", "fused" */
    /* Bytes of workspace that forward needs for B utterances, at most T frames in a call and at most L keys
     * on this path (auto: on either), on at most `threads` threads (1 or more). One made for the largest call serves
     * every smaller one. SIZE_MAX when it fits no memory. */
    size_t (*workspace)(const attn_geometry *g, size_t batch, size_t frames, size_t keys, attn_path path,
                        size_t threads);
    /* Appends the T frames of the call to the cache (which must have room), attends over everything in it,
     * and writes out [B, T, d_model], which must not overlap x. Masked keys contribute exactly nothing; a
     * query without any key gets a zero context, so that its row is the bias of out_proj. The workspace is
     * the caller's, 64-byte aligned; what is in it before and after means nothing. */
    void (*forward)(float *out, const attn_layer *layer, attn_cache *cache, const attn_call *call,
                    void *workspace);
    /* FLOPs that rel_pos* adds to attn_variant.cost, which implementations compute in different ways; 0
     * without rel_pos*. The path must not be AUTO. NULL where the variant takes no rel_pos*. */
    double (*position_flops)(const attn_geometry *g, size_t batch, size_t frames, size_t keys,
                             attn_path path);
    bool f32_only; /* reads no caches of other types: matrix products take floats */
    /* Its work is shared by the threads in use (attn/threads.h); the same number of them gives the same bits. */
    bool shares;
    bool packs; /* reads maps as attn_layer_pack packs them */
} attn_impl;

#ifdef __cplusplus
}
#endif
#endif
