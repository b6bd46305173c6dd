/* Tensors in the order of visits, to look up by name and to save. Private to impl/. */
#ifndef IMPL_MODEL_TENSOR_LIST_H
#define IMPL_MODEL_TENSOR_LIST_H

#include "attn/layer.h"
#include "attn/safetensors.h"

typedef struct tensor_list {
    attn_tensor *at;
    size_t count;
} tensor_list;

/* An attn_tensor_visitor: appends to the tensor_list that is its context. attn_free(list.at) at the end. */
int tensor_list_add(void *context, const attn_tensor *tensor, attn_error *error);

const attn_tensor *tensor_list_find(const tensor_list *list, const char *name); /* NULL: none of that name */

/* The entry of a file for this tensor, under this name. It points to the name, the shape and the numbers. */
attn_safetensors_entry tensor_entry(const char *name, const attn_tensor *tensor);

#endif
