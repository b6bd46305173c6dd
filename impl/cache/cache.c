#include "attn/alloc.h"
#include "attn/attention.h"
#include "attn/threads.h"

#include <string.h>

static size_t slot_heads(const attn_cache_slot *s) {
    return s->heads ? s->heads : 1;
}

static size_t slot_rows(const attn_cache *cache, size_t slot) {
    const attn_cache_slot *s = &cache->slot[slot];
    return s->rows ? s->rows : cache->capacity;
}

int attn_cache_type_check(const attn_variant *variant, attn_element type, attn_error *error) {
    if (type == ATTN_ELEMENT_F32 || variant->is_softmax)
        return 0;
    return attn_fail(error, "found %s, expected %s, as %s attention keeps its state in it",
                     attn_kv_dtype_names[type], attn_kv_dtype_names[ATTN_ELEMENT_F32], variant->name);
}

int attn_cache_init(attn_cache *cache, const attn_variant *variant, const attn_geometry *geometry,
                    size_t batch, size_t capacity, attn_element type, attn_error *error) {
    *cache = (attn_cache){
        .variant = variant, .geometry = *geometry, .type = type, .batch = batch, .capacity = capacity};
    if (attn_cache_type_check(variant, type, error))
        goto fail;
    cache->slots = variant->cache_slots(geometry, cache->slot);
    for (size_t i = 0; i < cache->slots; i++) {
        attn_cache_slot *s = &cache->slot[i];
        size_t rows, bytes;
        s->type = s->rows ? ATTN_ELEMENT_F32 : type;
        if (attn_multiply(&rows, batch * slot_heads(s), slot_rows(cache, i)) ||
            attn_multiply(&bytes, s->width, sizeof(float))) {
            attn_fail(error, "KV cache: %zu frames do not fit the address space", capacity);
            goto fail;
        }
        cache->data[i] = attn_alloc(rows, attn_cache_row_bytes(cache, i), "KV cache", error);
        if (!cache->data[i])
            goto fail;
    }
    return 0;
fail:
    attn_cache_free(cache);
    return -1;
}

void attn_cache_free(attn_cache *cache) {
    for (size_t i = 0; i < ATTN_CACHE_SLOTS; i++)
        attn_free(cache->data[i]);
    *cache = (attn_cache){0};
}

size_t attn_cache_row_bytes(const attn_cache *cache, size_t slot) {
    return attn_element_row_bytes(cache->slot[slot].type, cache->slot[slot].width);
}

static char *row_at(const attn_cache *cache, size_t slot, size_t b, size_t head, size_t at) {
    size_t block = b * slot_heads(&cache->slot[slot]) + head;
    return (char *)cache->data[slot] +
           (block * slot_rows(cache, slot) + at) * attn_cache_row_bytes(cache, slot);
}

void *attn_cache_rows(const attn_cache *cache, size_t slot, size_t b, size_t head) {
    return row_at(cache, slot, b, head, 0);
}

void attn_cache_store(attn_cache *cache, size_t slot, size_t b, size_t head, size_t at, const float *rows,
                      size_t stride, size_t count) {
    const attn_cache_slot *s = &cache->slot[slot];
    size_t step = attn_cache_row_bytes(cache, slot);
    char *to = row_at(cache, slot, b, head, at);
    for (size_t r = 0; r < count; r++)
        attn_element_store(to + r * step, rows + r * stride, s->width, s->type);
}

void attn_cache_load(float *out, const attn_cache *cache, size_t slot, size_t b, size_t head, size_t at,
                     size_t count) {
    const attn_cache_slot *s = &cache->slot[slot];
    size_t step = attn_cache_row_bytes(cache, slot);
    const char *from = row_at(cache, slot, b, head, at);
    for (size_t r = 0; r < count; r++)
        attn_element_load(out + r * s->width, from + r * step, s->width, s->type);
}

static void clear_states(attn_cache *cache) {
    for (size_t i = 0; i < cache->slots; i++)
        if (cache->slot[i].rows)
            memset(cache->data[i], 0, attn_alloc_size(cache->data[i]));
}

void attn_cache_reset(attn_cache *cache) {
    cache->length = cache->first = 0;
    clear_states(cache);
}

/* The newest `frames` frames go to the front. */
typedef struct keeping {
    const attn_cache *cache;
    size_t frames;
} keeping;

/* A part has some of the heads of every slot. */
static void keep_part(void *context, size_t part, size_t parts) {
    const keeping *k = context;
    size_t dropped = k->cache->length - k->frames;
    for (size_t i = 0; i < k->cache->slots; i++) {
        size_t heads = slot_heads(&k->cache->slot[i]);
        attn_range range = attn_part_range(k->cache->batch * heads, 1, part, parts);
        for (size_t at = range.begin; at < range.end && !k->cache->slot[i].rows; at++)
            memmove(row_at(k->cache, i, at / heads, at % heads, 0),
                    row_at(k->cache, i, at / heads, at % heads, dropped),
                    k->frames * attn_cache_row_bytes(k->cache, i));
    }
}

void attn_cache_keep(attn_cache *cache, size_t frames) {
    if (frames >= cache->length)
        return;
    size_t dropped = cache->length - frames;
    keeping k = {cache, frames};
    attn_share(keep_part, &k);
    if (!frames)
        clear_states(cache);
    cache->first += dropped;
    cache->length = frames;
}

size_t attn_cache_shape(const attn_cache *cache, size_t slot, size_t dims[4]) {
    const attn_cache_slot *s = &cache->slot[slot];
    size_t rank = 0;
    dims[rank++] = cache->batch;
    if (s->heads)
        dims[rank++] = s->heads;
    dims[rank++] = s->rows ? s->rows : cache->length;
    dims[rank++] = s->width;
    return rank;
}

void attn_cache_copy(const attn_cache *cache, size_t slot, void *out) {
    const attn_cache_slot *s = &cache->slot[slot];
    size_t bytes = (s->rows ? s->rows : cache->length) * attn_cache_row_bytes(cache, slot);
    char *to = out;
    for (size_t b = 0; b < cache->batch; b++)
        for (size_t head = 0; head < slot_heads(s); head++, to += bytes)
            memcpy(to, row_at(cache, slot, b, head, 0), bytes);
}

size_t attn_cache_bytes_live(const attn_cache *cache) {
    size_t bytes = 0;
    for (size_t i = 0; i < cache->slots; i++)
        bytes += attn_alloc_size(cache->data[i]);
    return bytes;
}
