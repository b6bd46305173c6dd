#include "impl/model/tensor_list.h"

#include "attn/alloc.h"

#include <string.h>

int tensor_list_add(void *context, const attn_tensor *tensor, attn_error *error) {
    tensor_list *list = context;
    attn_tensor *grown = attn_grown(list->at, list->count, sizeof *grown, "list of tensors", error);
    if (!grown)
        return -1;
    list->at = grown;
    list->at[list->count++] = *tensor;
    return 0;
}

const attn_tensor *tensor_list_find(const tensor_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->at[i].name, name))
            return &list->at[i];
    return NULL;
}

attn_safetensors_entry tensor_entry(const char *name, const attn_tensor *tensor) {
    return (attn_safetensors_entry){
        .name = name, .rank = tensor->rank, .dims = tensor->dims, .data = *tensor->data + tensor->offset};
}
