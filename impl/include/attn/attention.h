/* Attention over one layer, all of it. */
#ifndef ATTN_ATTENTION_H
#define ATTN_ATTENTION_H

#include "attn/cache.h"     /* what is kept from call to call */
#include "attn/call.h"      /* one call, one implementation */
#include "attn/geometry.h"  /* sizes */
#include "attn/layer.h"     /* weights */
#include "attn/positions.h" /* sinusoids */
#include "attn/variant.h"   /* the registry of attention types */

#endif
