/* The caches of a session as a safetensors file. */
#include "impl/model/session.h"

#include "attn/alloc.h"
#include "attn/safetensors.h"

#include <stdio.h>

typedef struct saved_slot {
    char name[48];
    size_t dims[4], rank;
    void *rows; /* a copy without the cache's spare room */
} saved_slot;

/* Elements are saved as they are. safetensors knows no blocks: rows of q8_0 are bytes, the last axis counts them. */
static const char *const dtype_names[] = {[ATTN_ELEMENT_F32] = "F32",
                                          [ATTN_ELEMENT_F16] = "F16",
                                          [ATTN_ELEMENT_BF16] = "BF16",
                                          [ATTN_ELEMENT_Q8_0] = "U8"};

static int copy_slot(saved_slot *saved, const attn_cache *cache, size_t layer, size_t slot,
                     attn_error *error) {
    snprintf(saved->name, sizeof saved->name, "layers.%zu.%s", layer, cache->slot[slot].name);
    saved->rank = attn_cache_shape(cache, slot, saved->dims);
    size_t rows = 1;
    for (size_t i = 0; i + 1 < saved->rank; i++)
        rows *= saved->dims[i];
    saved->rows = attn_alloc(rows, attn_cache_row_bytes(cache, slot), "copy of the KV cache", error);
    if (!saved->rows)
        return -1;
    attn_cache_copy(cache, slot, saved->rows);
    if (cache->slot[slot].type == ATTN_ELEMENT_Q8_0)
        saved->dims[saved->rank - 1] = attn_cache_row_bytes(cache, slot);
    return 0;
}

/* Inputs of the layers' causal convolutions, and frames that subsampling holds back: where they are, they are
 * saved. */
static void add_streams(attn_safetensors_entry *entries, size_t *count, saved_slot *saved,
                        const attn_session *session) {
    const attn_config *config = &session->model->config;
    size_t floats = attn_session_conv_floats(session), batch = session->options.batch;
    for (size_t layer = 0; session->conv && layer < attn_session_layers(session); layer++) {
        saved_slot *s = &saved[*count];
        *s = (saved_slot){.rank = 3,
                          .dims = {batch, config->conv_kernel_size - 1, attn_conv_cache_width(config)}};
        snprintf(s->name, sizeof s->name, "layers.%zu.conv", layer);
        entries[(*count)++] = (attn_safetensors_entry){
            .name = s->name, .rank = s->rank, .dims = s->dims, .data = session->conv + layer * floats};
    }
    if (session->carry && session->carried) {
        saved_slot *s = &saved[*count];
        *s = (saved_slot){
            .name = "embed.carry", .rank = 3, .dims = {batch, SUBSAMPLING_CARRY, config->input_dim}};
        entries[(*count)++] = (attn_safetensors_entry){
            .name = s->name, .rank = s->rank, .dims = s->dims, .data = session->carry};
    }
}

const float *attn_session_conv(const attn_session *session, size_t layer, size_t *width) {
    *width = attn_conv_cache_width(&session->model->config);
    return session->conv ? session->conv + layer * attn_session_conv_floats(session) : NULL;
}

int attn_session_save_cache(const attn_session *session, const char *path, attn_error *error) {
    int result = -1;
    size_t layers = attn_session_layers(session), most = layers * (ATTN_CACHE_SLOTS + 1) + 1, count = 0;
    saved_slot *saved = attn_alloc(most, sizeof *saved, "copy of the KV cache", error);
    attn_safetensors_entry *entries = attn_alloc(most, sizeof *entries, "copy of the KV cache", error);
    if (!saved || !entries)
        goto done;
    for (size_t layer = 0; layer < layers; layer++)
        for (size_t slot = 0; slot < session->caches[layer].slots; slot++, count++) {
            saved_slot *s = &saved[count];
            if (copy_slot(s, &session->caches[layer], layer, slot, error))
                goto done;
            entries[count] =
                (attn_safetensors_entry){.name = s->name,
                                         .rank = s->rank,
                                         .dims = s->dims,
                                         .data = s->rows,
                                         .dtype_name = dtype_names[session->caches[layer].slot[slot].type]};
        }
    add_streams(entries, &count, saved, session);
    result = attn_safetensors_write(path, entries, count, error);
done:
    for (size_t i = 0; saved && i < most; i++)
        attn_free(saved[i].rows);
    attn_free(entries);
    attn_free(saved);
    return result;
}
