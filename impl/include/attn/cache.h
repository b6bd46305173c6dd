/* The KV cache of one layer: what attention keeps of the frames before this call. */
#ifndef ATTN_CACHE_H
#define ATTN_CACHE_H

#include "attn/element.h"
#include "attn/error.h"
#include "attn/geometry.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct attn_variant;

enum { ATTN_CACHE_SLOTS = 2 };

/* One cached tensor: [B, heads, rows, width], without the head axis when heads is 0. rows 0 means one row a
 * frame: L of them, with room for the cache's capacity. Those rows have the cache's element type; a state, which
 * goes on being added to, is kept in f32. */
typedef struct attn_cache_slot {
    const char *name; /* "k", "v", "latent", "state", "norm" */
    size_t heads, rows, width;
    attn_element type;
} attn_cache_slot;

typedef struct attn_cache {
    const struct attn_variant *variant;
    attn_geometry geometry;
    attn_element type;
    size_t batch, capacity; /* utterances; frames that there is room for */
    size_t length;          /* frames held: keys 0..length-1 */
    size_t first;           /* stream position of key 0, so that dropped frames still count */
    size_t slots;
    attn_cache_slot slot[ATTN_CACHE_SLOTS];
    void *data[ATTN_CACHE_SLOTS]; /* [B, heads or 1, rows or capacity] rows of attn_cache_row_bytes */
} attn_cache;

/* 0, or -1 and an error: the type (a configuration's kv_dtype) is one that caches of this variant can have. */
int attn_cache_type_check(const struct attn_variant *variant, attn_element type, attn_error *error);

/* Allocates an empty cache for `capacity` frames. Returns 0, or -1 and an error when the variant has no caches of
 * this type, memory is refused or the size overflows. Free with attn_cache_free (a zeroed cache is fine too). */
int attn_cache_init(attn_cache *cache, const struct attn_variant *variant, const attn_geometry *geometry,
                    size_t batch, size_t capacity, attn_element type, attn_error *error);
void attn_cache_free(attn_cache *cache);
void attn_cache_reset(attn_cache *cache); /* forgets all frames; allocates and frees nothing */

/* Drops all but the newest `frames`. A state that cannot forget some frames (linear) is only kept whole or,
 * for 0, cleared: see attn_variant.forgets. The threads in use move some of the heads each. */
void attn_cache_keep(attn_cache *cache, size_t frames);

/* Row 0 of utterance b and head (0 without a head axis), inside the cache: floats under f32. */
void *attn_cache_rows(const attn_cache *cache, size_t slot, size_t b, size_t head);
/* Bytes from one row to the next. */
size_t attn_cache_row_bytes(const attn_cache *cache, size_t slot);

/* Converts rows of slot.width floats, `stride` floats apart, to the cache's type, into row `at` and the following ones.
 * That is the one time that what is appended is rounded. */
void attn_cache_store(attn_cache *cache, size_t slot, size_t b, size_t head, size_t at, const float *rows,
                      size_t stride, size_t count);
/* Rows back as floats [count, slot.width]. */
void attn_cache_load(float *out, const attn_cache *cache, size_t slot, size_t b, size_t head, size_t at,
                     size_t count);

/* The shape of a slot with L = frames held, the head axis left out where there is none. Returns the rank (3
 * or 4). */
size_t attn_cache_shape(const attn_cache *cache, size_t slot, size_t dims[4]);
/* All rows of that shape as they are, one after the other, without the cache's spare room: the product of all dims but
 * the last rows of attn_cache_row_bytes. */
void attn_cache_copy(const attn_cache *cache, size_t slot, void *out);

/* Bytes asked of the allocator by this cache: read from the blocks, not computed. */
size_t attn_cache_bytes_live(const attn_cache *cache);

#ifdef __cplusplus
}
#endif
#endif
