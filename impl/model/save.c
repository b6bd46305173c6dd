/* Checkpoints out. */
#include "impl/model/model.h"

#include "attn/alloc.h"
#include "impl/model/tensor_list.h"

int attn_model_save_some(attn_model *model, const char *path, bool (*keeps)(const char *name),
                         attn_error *error) {
    tensor_list list = {0};
    attn_safetensors_entry *entries = NULL;
    size_t count = 0;
    int result = -1;
    if (attn_model_tensors(model, tensor_list_add, &list, error))
        goto done;
    entries = attn_alloc(list.count, sizeof *entries, "list of tensors", error);
    if (!entries)
        goto done;
    for (size_t i = 0; i < list.count; i++)
        if (!keeps || keeps(list.at[i].name))
            entries[count++] = tensor_entry(list.at[i].name, &list.at[i]);
    result = attn_safetensors_write(path, entries, count, error);
done:
    attn_free(entries);
    attn_free(list.at);
    return result;
}

int attn_model_save(attn_model *model, const char *path, attn_error *error) {
    return attn_model_save_some(model, path, NULL, error);
}
