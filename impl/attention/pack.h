/* Weights of maps in panels, in one block. Private to impl/: for whoever owns weights, layers and models. */
#ifndef IMPL_ATTENTION_PACK_H
#define IMPL_ATTENTION_PACK_H

#include "attn/layer.h"

/* Visits tensors with a visitor of the context `packing`: twice the same ones. */
typedef int attn_pack_visit(void *owner, attn_tensor_visitor *visit, void *packing, attn_error *error);

/* Makes *packed, which the caller frees, and sets `panels` of the maps that are visited. Where nothing is to be
 * gained it stays NULL. Returns 0, or -1 and an error when memory is refused. */
int attn_pack(float **packed, attn_pack_visit *visit, void *owner, attn_error *error);

#endif
