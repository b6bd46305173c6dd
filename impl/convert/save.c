/* A converted checkpoint: the new tensors, and all others as they were. */
#include "attn/alloc.h"
#include "attn/convert.h"
#include "impl/model/model.h"
#include "impl/model/tensor_list.h"

#include <stdio.h>
#include <string.h>

/* What a checkpoint is rewritten with. */
typedef struct rewriting {
    const attn_conversion *conversion;
    const attn_config *from_config;
    attn_safetensors *file;
    tensor_list had;  /* of any layer, by the names below it: only the names count */
    tensor_list *has; /* of each converted layer */
    bool *added;      /* whether the layer's additional tensors are in `entries` */
    attn_safetensors_entry *entries;
    char **names; /* of entries that the file lacks */
    size_t count, room;
} rewriting;

static int list_layers(rewriting *w, attn_error *error) {
    const attn_conversion *c = w->conversion;
    attn_layer before = {.geometry = w->from_config->attention};
    if (attn_layer_tensors(&before, w->from_config->variant, tensor_list_add, &w->had, error))
        return -1;
    w->has = attn_alloc(c->layers, sizeof *w->has, "list of tensors", error);
    w->added = attn_alloc(c->layers, sizeof *w->added, "list of tensors", error);
    if (!w->has || !w->added)
        return -1;
    w->room = attn_safetensors_count(w->file);
    for (size_t i = 0; i < c->layers; i++) {
        if (attn_layer_tensors(&c->layer[i], c->config.variant, tensor_list_add, &w->has[i], error))
            return -1;
        w->room += w->has[i].count;
    }
    w->entries = attn_alloc(w->room, sizeof *w->entries, "list of tensors", error);
    w->names = attn_alloc(w->room, sizeof *w->names, "list of tensors", error);
    return w->entries && w->names ? 0 : -1;
}

/* The name below its attention layer of one of the model's own tensors, or NULL. */
static const char *below_layer(const rewriting *w, const char *canonical, size_t *layer) {
    const attn_config *config = w->from_config;
    bool bare = config->model_type == ATTN_MODEL_ATTENTION && config->num_layers == 1;
    for (*layer = 0; *layer < config->num_layers; ++*layer) {
        char prefix[64] = "";
        if (!bare)
            snprintf(prefix, sizeof prefix, "encoders.%zu.%s.", *layer,
                     config->model_type == ATTN_MODEL_BRANCHFORMER ? "attn" : "self_attn");
        size_t length = strlen(prefix);
        if (!strncmp(canonical, prefix, length) && tensor_list_find(&w->had, canonical + length))
            return canonical + length;
    }
    return NULL;
}

/* Length of the name's part before its last words, as many as `below` has. */
static size_t prefix_length(const char *name, const char *below) {
    size_t length = strlen(name), words = 1;
    for (const char *c = below; *c; c++)
        words += *c == '.';
    while (length && (name[length - 1] != '.' || --words))
        length--;
    return length;
}

/* The tensors of a layer that it did not have, named as the file names the others. */
static int add_new(rewriting *w, size_t layer, const char *name, const char *below, attn_error *error) {
    const tensor_list *has = &w->has[layer];
    if (w->added[layer])
        return 0;
    w->added[layer] = true;
    for (size_t i = 0; i < has->count; i++) {
        if (tensor_list_find(&w->had, has->at[i].name))
            continue;
        char *full = attn_format(error, "%.*s%s", (int)prefix_length(name, below), name, has->at[i].name);
        if (!full)
            return -1;
        w->names[w->count] = full;
        w->entries[w->count++] = tensor_entry(full, &has->at[i]);
    }
    return 0;
}

/* 1: the file's tensor has these very numbers; 0: not; -1: error. */
static int is_same(const attn_safetensor *found, const attn_tensor *tensor, attn_error *error) {
    if (found->rank != tensor->rank || memcmp(found->dims, tensor->dims, found->rank * sizeof *found->dims))
        return 0;
    float *floats = attn_alloc(found->count, sizeof *floats, found->name, error);
    if (!floats)
        return -1;
    attn_safetensor_floats(found, floats);
    int same = !memcmp(floats, *tensor->data + tensor->offset, found->count * sizeof *floats);
    attn_free(floats);
    return same;
}

static int add_tensor(rewriting *w, const attn_safetensor *found, attn_error *error) {
    char canonical[64];
    size_t layer;
    attn_model_canonical_name(canonical, w->from_config, found->name);
    const char *below = below_layer(w, canonical, &layer);
    const attn_tensor *now = below ? tensor_list_find(&w->has[layer], below) : NULL;
    if (below && add_new(w, layer, found->name, below, error))
        return -1;
    if (below && !now)
        return 0;
    int same = now ? is_same(found, now, error) : 1;
    if (same < 0)
        return -1;
    w->entries[w->count++] =
        same ? (attn_safetensors_entry){.name = found->name, .copy = found} : tensor_entry(found->name, now);
    return 0;
}

int attn_conversion_save(const attn_conversion *conversion, const attn_config *from_config, const char *from,
                         const char *to, attn_error *error) {
    rewriting w = {.conversion = conversion, .from_config = from_config};
    int result = attn_safetensors_open(&w.file, from, error) || list_layers(&w, error) ? -1 : 0;
    for (size_t i = 0; !result && i < attn_safetensors_count(w.file); i++)
        result = add_tensor(&w, attn_safetensors_at(w.file, i), error);
    if (!result)
        result = attn_safetensors_write(to, w.entries, w.count, error);
    for (size_t i = 0; w.names && i < w.room; i++)
        attn_free(w.names[i]);
    attn_free(w.names);
    attn_free(w.entries);
    for (size_t i = 0; w.has && i < conversion->layers; i++)
        attn_free(w.has[i].at);
    attn_free(w.has);
    attn_free(w.added);
    attn_free(w.had.at);
    attn_safetensors_close(w.file);
    return result;
}
