/* Projected positions, W s(p) of positions.h: kept by the caller from call to call, or computed for one. Private to
 * impl/. */
#ifndef IMPL_ATTENTION_PROJECTED_H
#define IMPL_ATTENTION_PROJECTED_H

#include "attn/attention.h"
#include "base/arena.h"
#include "impl/attention/projected_products.h"

/* First position and number of those that calls of at most `frames` frames and `keys` keys reach, in a stream of
 * `stream` frames; `panels` is NULL. */
attn_projected attn_projected_reach(const attn_geometry *g, size_t frames, size_t keys, size_t stream);
/* Floats of the panels of `count` positions of a layer; SIZE_MAX where that is no size. */
size_t attn_projected_floats(const attn_geometry *g, size_t count);
/* Fills the panels of a layer. `workspace` is that of attn_project_span_layout. */
void attn_project_span(float *panels, float *workspace, const attn_layer *layer, const attn_sinusoids *source,
                       const attn_projected *span);
float *attn_project_span_layout(attn_arena *arena, const attn_geometry *g, size_t count);
/* The sinusoids of attn_project_call: for at most `count` positions, projected on at most `threads` threads. */
float *attn_projected_layout(attn_arena *arena, const attn_geometry *g, size_t count, size_t threads);

/* Whether call->projected has every position of the call, before which `held` frames were in the cache. */
bool attn_keeps_positions(const attn_geometry *g, const attn_cache *cache, const attn_call *call,
                          size_t held);
/* Positions that the call projects: 0 where they are kept, where it folds or has none. The cache is as before the
 * call, but for what lies behind its length. */
size_t attn_positions_to_project(const attn_geometry *g, const attn_cache *cache, const attn_call *call);
/* Those of heads head0 .. head0 + heads - 1: kept, or projected into table [count, heads d_k]. */
attn_projected_rows attn_project_call(float *table, float *sinusoids, const attn_layer *layer,
                                      const attn_cache *cache, const attn_call *call, size_t head0,
                                      size_t heads);

#endif
