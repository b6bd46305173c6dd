#include "tests/support/models/checkpoints.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <string.h>

static const char file[] = "checkpoint.safetensors";

static int add_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    checkpoint *c = context;
    assert_true(c->count < CHECKPOINT_TENSORS);
    snprintf(c->names[c->count], sizeof c->names[0], "%s", tensor->name);
    memcpy(c->dims[c->count], tensor->dims, sizeof tensor->dims);
    c->entries[c->count] = (attn_safetensors_entry){
        c->names[c->count], tensor->rank, c->dims[c->count], *tensor->data + tensor->offset, NULL, NULL};
    c->count++;
    return 0;
}

checkpoint *checkpoint_of(attn_model *model) {
    checkpoint *c = attn_alloc(1, sizeof *c, "checkpoint", NULL);
    assert_int_equal(attn_model_tensors(model, add_tensor, c, NULL), 0);
    return c;
}

void checkpoint_rename(checkpoint *c, const char *from, const char *to) {
    for (size_t i = 0; i < c->count; i++) {
        char *at = strstr(c->names[i], from);
        if (!at)
            continue;
        char rest[80];
        snprintf(rest, sizeof rest, "%s", at + strlen(from));
        snprintf(at, sizeof c->names[i] - (size_t)(at - c->names[i]), "%s%s", to, rest);
    }
}

void checkpoint_prefix(checkpoint *c, const char *text) {
    for (size_t i = 0; i < c->count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s%.60s", text, c->names[i]);
        memcpy(c->names[i], name, sizeof name);
    }
}

void checkpoint_add(checkpoint *c, const char *name, const float *data, size_t count) {
    assert_true(c->count < CHECKPOINT_TENSORS);
    snprintf(c->names[c->count], sizeof c->names[0], "%s", name);
    c->dims[c->count][0] = count;
    c->entries[c->count] =
        (attn_safetensors_entry){c->names[c->count], 1, c->dims[c->count], data, NULL, NULL};
    c->count++;
}

int checkpoint_load(attn_model *model, const checkpoint *c, attn_error *error) {
    attn_error writing = {0};
    const char *path = scratch_path(file);
    if (attn_safetensors_write(path, c->entries, c->count, &writing))
        fail_msg("%s", writing.message);
    *error = (attn_error){0};
    return attn_model_load(model, path, error);
}

void checkpoint_refused(attn_model *model, const checkpoint *c, const char *const words[4]) {
    attn_error error;
    assert_int_equal(checkpoint_load(model, c, &error), -1);
    assert_non_null(strstr(error.message, scratch_path(file)));
    for (size_t i = 0; i < 4 && words[i]; i++)
        if (!strstr(error.message, words[i]))
            fail_msg("\"%s\" does not have \"%s\"", error.message, words[i]);
}

static int compare_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    const checkpoint *c = context;
    (void)error;
    for (size_t i = 0; i < c->count; i++)
        if (!strcmp(c->names[i], tensor->name)) {
            size_t count = 1;
            for (size_t k = 0; k < tensor->rank; k++)
                count *= tensor->dims[k];
            assert_memory_equal(*tensor->data + tensor->offset, c->entries[i].data, count * sizeof(float));
            return 0;
        }
    fail_msg("no tensor %s", tensor->name);
    return -1;
}

void checkpoint_expect(attn_model *model, const checkpoint *c) {
    attn_model_tensors(model, compare_tensor, (void *)(uintptr_t)c, NULL);
}
