#include "attn/alloc.h"
#include "attn/attention.h"

#include <string.h>

static size_t slot_heads(const attn_cache_slot *s) {
    return s->heads ? s->heads : 1;
}

static size_t slot_rows(const attn_cache *cache, size_t slot) {
    const attn_cache_slot *s = &cache->slot[slot];
    return s->rows ? s->rows : cache->capacity;
}

int attn_cache_init(attn_cache *cache, const attn_variant *variant, const attn_geometry *geometry,
                    size_t batch, size_t capacity, attn_error *error) {
    *cache = (attn_cache){.variant = variant, .geometry = *geometry, .batch = batch, .capacity = capacity};
    cache->slots = variant->cache_slots(geometry, cache->slot);
    for (size_t i = 0; i < cache->slots; i++) {
        const attn_cache_slot *s = &cache->slot[i];
        size_t rows, row_bytes;
        if (attn_multiply(&rows, batch * slot_heads(s), slot_rows(cache, i)) ||
            attn_multiply(&row_bytes, s->width, sizeof(float))) {
            attn_fail(error, "KV cache: %zu frames do not fit the address space", capacity);
            goto fail;
        }
        cache->data[i] = attn_alloc(rows, row_bytes, "KV cache", error);
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

float *attn_cache_rows(const attn_cache *cache, size_t slot, size_t b, size_t head) {
    const attn_cache_slot *s = &cache->slot[slot];
    return cache->data[slot] + (b * slot_heads(s) + head) * slot_rows(cache, slot) * s->width;
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

void attn_cache_keep(attn_cache *cache, size_t frames) {
    if (frames >= cache->length)
        return;
    size_t dropped = cache->length - frames;
    for (size_t i = 0; i < cache->slots; i++) {
        const attn_cache_slot *s = &cache->slot[i];
        if (s->rows)
            continue;
        for (size_t block = 0; block < cache->batch * slot_heads(s); block++) {
            float *rows = cache->data[i] + block * cache->capacity * s->width;
            memmove(rows, rows + dropped * s->width, frames * s->width * sizeof(float));
        }
    }
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

void attn_cache_copy(const attn_cache *cache, size_t slot, float *out) {
    const attn_cache_slot *s = &cache->slot[slot];
    size_t count = (s->rows ? s->rows : cache->length) * s->width;
    for (size_t block = 0; block < cache->batch * slot_heads(s); block++)
        memcpy(out + block * count, cache->data[slot] + block * slot_rows(cache, slot) * s->width,
               count * sizeof(float));
}

size_t attn_cache_bytes_live(const attn_cache *cache) {
    size_t bytes = 0;
    for (size_t i = 0; i < cache->slots; i++)
        bytes += attn_alloc_size(cache->data[i]);
    return bytes;
}
