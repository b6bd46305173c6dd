/* Sizes of one attention layer.
 *
 * Words of all headers: B batch, T frames in this call, L keys attended to (cache plus this call), h query
 * heads, h_kv key/value heads, d_k = d_model / h, d_c = latent_dim. Arrays are row-major float32; sizes count
 * elements. */
#ifndef ATTN_GEOMETRY_H
#define ATTN_GEOMETRY_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How attention learns of positions.
 *   none           not at all
 *   abs_pos        sinusoids added to the encoder's input (Vaswani et al. 2017, section 3.5)
 *   rel_pos        Dai et al. 2019 (Transformer-XL), section 3.3, with the relative shift, as in Gulati et al.
 *                  2020
 *   rel_pos_wenet  the same tensors without the shift: position j's encoding is scored against every query
 */
typedef enum attn_pos_enc { ATTN_POS_NONE, ATTN_POS_ABS, ATTN_POS_REL, ATTN_POS_REL_WENET } attn_pos_enc;
extern const char *const attn_pos_enc_names[]; /* as in YAML, indexed by the enum, NULL-terminated */

typedef struct attn_geometry {
    size_t d_model, num_heads;
    size_t num_kv_heads; /* gqa; 0 elsewhere */
    size_t latent_dim;   /* mla, mla_simple; 0 elsewhere */
    attn_pos_enc pos_enc;
} attn_geometry;

/* d_k. */
static inline size_t attn_head_dim(const attn_geometry *g) {
    return g->d_model / g->num_heads;
}

/* h_kv: num_kv_heads, or num_heads where every head has its own keys and values. */
static inline size_t attn_kv_heads(const attn_geometry *g) {
    return g->num_kv_heads ? g->num_kv_heads : g->num_heads;
}

static inline bool attn_has_rel_pos(const attn_geometry *g) {
    return g->pos_enc == ATTN_POS_REL || g->pos_enc == ATTN_POS_REL_WENET;
}

struct attn_variant;

/* Fills defaults (num_kv_heads max(1, h / 4) or the next fewer that divide h, latent_dim d_model), clears
 * what the variant does not take, and checks: sizes positive, d_model divisible by num_heads, num_heads by
 * num_kv_heads, no rel_pos* without softmax, nothing overflows. Returns 0, or -1 and an error; `key` (may be
 * NULL) then gets the YAML key at fault. */
int attn_geometry_complete(attn_geometry *g, const struct attn_variant *variant, const char **key,
                           attn_error *error);

size_t attn_default_kv_heads(size_t num_heads); /* the default above */

#ifdef __cplusplus
}
#endif
#endif
