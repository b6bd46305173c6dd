#include "bench/kinds/attention_reference.h"

#include "attn/alloc.h"

#include <string.h>

double attention_reference_flops(const bench_case *c, size_t queries, size_t keys) {
    return attn_impl_cost(c->variant, &c->variant->impls[0], &c->geometry, c->batch, queries, keys,
                          ATTN_PATH_AUTO, (attn_element)c->kv)
        .flops;
}

int attention_reference_run(float *out, const attn_variant *variant, const attn_layer *layer,
                            attn_cache *cache, const attn_call *call, attn_error *error) {
    const attn_impl *reference = &variant->impls[0];
    attn_call own = *call;
    own.path = ATTN_PATH_AUTO;
    void *workspace = attn_alloc(reference->workspace(&layer->geometry, own.batch, own.frames,
                                                      cache->length + own.frames, own.path, 1),
                                 1, "workspace of the reference", error);
    if (!workspace)
        return -1;
    reference->forward(out, layer, cache, &own, workspace);
    attn_free(workspace);
    return 0;
}

size_t attention_slot_heads(const attn_cache *cache, size_t slot) {
    return cache->slot[slot].heads ? cache->slot[slot].heads : 1;
}

/* Keys of one period behind the frames held, `count` of them. */
static void lay_out_keys(attn_cache *cache, size_t slot, const attn_cache *one, size_t count) {
    size_t row = attn_cache_row_bytes(cache, slot);
    for (size_t b = 0; b < cache->batch; b++)
        for (size_t head = 0; head < attention_slot_heads(cache, slot); head++) {
            char *to = (char *)attn_cache_rows(cache, slot, b, head) + cache->length * row;
            const char *from = attn_cache_rows(one, slot, b, head);
            for (size_t j = 0; j < count; j++)
                memcpy(to + j * row, from + j % one->length * row, row);
        }
}

static bool keeps_state(const attn_cache *cache) {
    for (size_t i = 0; i < cache->slots; i++)
        if (cache->slot[i].rows)
            return true;
    return false;
}

/* A state is a sum over frames. */
static void add_states(attn_cache *cache, const attn_cache *one, size_t times) {
    for (size_t i = 0; i < cache->slots; i++) {
        float *sum = cache->data[i];
        const float *term = one->data[i];
        for (size_t j = 0; cache->slot[i].rows && j < attn_alloc_size(one->data[i]) / sizeof *sum; j++)
            sum[j] += (float)times * term[j];
    }
}

int attention_append(attn_cache *cache, const attn_layer *layer, const attn_call *like, const float *frames,
                     size_t period, size_t count, attn_error *error) {
    const attn_variant *variant = cache->variant;
    attn_call call = *like;
    attn_cache one = {0};
    size_t rest[BENCH_BATCH_MAX];
    int result = -1;
    float *out = attn_alloc(call.batch * period * layer->geometry.d_model, sizeof(float),
                            "output of the reference", error);
    if (!out || attn_cache_init(&one, variant, &layer->geometry, call.batch, period, cache->type, error))
        goto done;
    call.x = frames;
    call.frames = period;
    if (attention_reference_run(out, variant, layer, &one, &call, error))
        goto done;
    for (size_t i = 0; i < cache->slots; i++)
        if (!cache->slot[i].rows)
            lay_out_keys(cache, i, &one, count);
    add_states(cache, &one, count / period);
    if (count % period && keeps_state(cache)) {
        for (size_t b = 0; b < call.batch; b++)
            rest[b] = count % period;
        call.lengths = rest;
        attn_cache_reset(&one);
        if (attention_reference_run(out, variant, layer, &one, &call, error))
            goto done;
        add_states(cache, &one, 1);
    }
    cache->length += count;
    result = 0;
done:
    attn_free(out);
    attn_cache_free(&one);
    return result;
}
