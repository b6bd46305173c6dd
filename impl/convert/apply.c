/* The converted model in memory: attention from the conversion, all else from the model that it was made of. */
#include "attn/alloc.h"
#include "attn/convert.h"
#include "impl/model/model.h"
#include "impl/model/tensor_list.h"

#include <string.h>

static void copy(const attn_tensor *to, const attn_tensor *from) {
    memcpy(*to->data + to->offset, *from->data + from->offset, attn_tensor_count(to) * sizeof(float));
}

/* What both models have under one name; of attention that is overwritten by copy_layer. */
static int copy_shared(attn_model *to, attn_model *from, attn_error *error) {
    tensor_list had = {0}, wanted = {0};
    int result = attn_model_tensors(from, tensor_list_add, &had, error) ||
                         attn_model_tensors(to, tensor_list_add, &wanted, error)
                     ? -1
                     : 0;
    for (size_t i = 0; !result && i < wanted.count; i++) {
        const attn_tensor *found = tensor_list_find(&had, wanted.at[i].name);
        if (found && attn_tensor_count(found) == attn_tensor_count(&wanted.at[i]))
            copy(&wanted.at[i], found);
    }
    attn_free(had.at);
    attn_free(wanted.at);
    return result;
}

static int copy_layer(attn_layer *to, attn_layer *from, const attn_variant *variant, attn_error *error) {
    tensor_list had = {0}, wanted = {0};
    int result = attn_layer_tensors(from, variant, tensor_list_add, &had, error) ||
                         attn_layer_tensors(to, variant, tensor_list_add, &wanted, error)
                     ? -1
                     : 0;
    for (size_t i = 0; !result && i < wanted.count; i++)
        copy(&wanted.at[i], &had.at[i]);
    attn_free(had.at);
    attn_free(wanted.at);
    return result;
}

int attn_conversion_apply(attn_model **made, const attn_conversion *conversion, attn_model *from,
                          attn_error *error) {
    int result = attn_model_create_like(made, &conversion->config, from, error);
    if (!result)
        result = copy_shared(*made, from, error);
    for (size_t i = 0; !result && i < conversion->layers; i++)
        result = copy_layer(&(*made)->blocks[i].attention, &conversion->layer[i], conversion->config.variant,
                            error);
    if (result) {
        attn_model_free(*made);
        *made = NULL;
    }
    return result;
}
