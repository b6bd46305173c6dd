#include "impl/model/model.h"

#include "attn/alloc.h"
#include "attn/safetensors.h"
#include "base/text/append.h"
#include "impl/model/recognise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor that the model wants, and where the file has it. */
typedef struct wanted {
    attn_tensor tensor;
    const attn_safetensor *found;
} wanted;

typedef struct wanted_list {
    wanted *at, **by_name;
    size_t count, room;
} wanted_list;

static int count_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)tensor;
    (void)error;
    ((wanted_list *)context)->room++;
    return 0;
}

static int want_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    wanted_list *list = context;
    list->at[list->count] = (wanted){.tensor = *tensor};
    list->by_name[list->count] = &list->at[list->count];
    list->count++;
    return 0;
}

static int compare_names(const void *a, const void *b) {
    const wanted *const *x = a, *const *y = b;
    return strcmp((*x)->tensor.name, (*y)->tensor.name);
}

static int list_wanted(wanted_list *list, attn_model *model, attn_error *error) {
    if (attn_model_tensors(model, count_tensor, list, error))
        return -1;
    list->at = attn_alloc(list->room, sizeof *list->at, "list of tensors", error);
    list->by_name = attn_alloc(list->room, sizeof *list->by_name, "list of tensors", error);
    if (!list->at || !list->by_name || attn_model_tensors(model, want_tensor, list, error))
        return -1;
    qsort(list->by_name, list->count, sizeof *list->by_name, compare_names);
    return 0;
}

static wanted *find_wanted(const wanted_list *list, const char *name) {
    wanted key = {.found = NULL}, *pointer = &key;
    snprintf(key.tensor.name, sizeof key.tensor.name, "%s", name);
    wanted **at = bsearch(&pointer, list->by_name, list->count, sizeof *list->by_name, compare_names);
    return at ? *at : NULL;
}

/* Pairs each tensor of the file with the one that is wanted; *extra gets the first that nobody wants. */
static int pair_tensors(wanted_list *list, const attn_safetensors *file, const attn_config *config,
                        const char *path, const attn_safetensor **extra, attn_error *error) {
    *extra = NULL;
    for (size_t i = 0; i < attn_safetensors_count(file); i++) {
        const attn_safetensor *tensor = attn_safetensors_at(file, i);
        char name[64];
        attn_model_canonical_name(name, config, tensor->name);
        if (!name[0])
            continue;
        wanted *want = find_wanted(list, name);
        if (!want && !*extra)
            *extra = tensor;
        if (want && want->found)
            return attn_fail(error, "%s: tensors %s and %s are both %s", path, want->found->name,
                             tensor->name, name);
        if (want)
            want->found = tensor;
    }
    return 0;
}

static void note_outside(attn_model *model, const attn_safetensors *file, const char *path) {
    size_t count = 0;
    const char *first = NULL;
    for (size_t i = 0; i < attn_safetensors_count(file); i++) {
        const char *name = attn_safetensors_at(file, i)->name;
        if (!attn_model_is_outside(&model->config, name))
            continue;
        first = first ? first : name;
        count++;
    }
    if (!count)
        return;
    snprintf(model->load_note, sizeof model->load_note, "%.120s: not the encoder's and not used: %.120s",
             path, first);
    if (count > 1)
        text_append(model->load_note, sizeof model->load_note, " and %zu more tensors", count - 1);
}

/* What the user has to know about what was loaded, in one line. */
static void write_note(attn_model *model, const attn_safetensors *file, const char *path) {
    model->load_note[0] = '\0';
    note_outside(model, file, path);
    const char *norm = attn_feature_norm_note(&model->config, model->embed.has_cmvn);
    if (*norm && *model->load_note)
        text_append(model->load_note, sizeof model->load_note, "; %s", norm);
    else if (*norm)
        snprintf(model->load_note, sizeof model->load_note, "%.120s: %s", path, norm);
}

static const char *shape_text(char text[128], size_t rank, const size_t *dims) {
    strcpy(text, "[");
    for (size_t i = 0; i < rank && strlen(text) < 100; i++)
        text_append(text, 128, "%s%zu", i ? ", " : "", dims[i]);
    text_append(text, 128, "]");
    return text;
}

static int check_complete(const wanted_list *list, const attn_safetensor *extra, const char *path,
                          attn_error *error) {
    char shape[128];
    for (size_t i = 0; i < list->count; i++) {
        const attn_tensor *tensor = &list->at[i].tensor;
        if (list->at[i].found)
            continue;
        shape_text(shape, tensor->rank, tensor->dims);
        return extra ? attn_fail(error,
                                 "%s: tensor %s is missing, expected with shape %s "
                                 "(the file has %s, which the model lacks)",
                                 path, tensor->name, shape, extra->name)
                     : attn_fail(error, "%s: tensor %s is missing, expected with shape %s", path,
                                 tensor->name, shape);
    }
    if (extra)
        return attn_fail(error, "%s: extra tensor %s with shape %s, which the model lacks", path,
                         *extra->name ? extra->name : "\"\"", shape_text(shape, extra->rank, extra->dims));
    return 0;
}

static int check_tensor(const wanted *want, const char *path, attn_error *error) {
    const attn_safetensor *found = want->found;
    const attn_tensor *tensor = &want->tensor;
    char has[128], expected[128];
    if (found->rank != tensor->rank || memcmp(found->dims, tensor->dims, tensor->rank * sizeof *tensor->dims))
        return attn_fail(error, "%s: tensor %s has shape %s, expected %s", path, found->name,
                         shape_text(has, found->rank, found->dims),
                         shape_text(expected, tensor->rank, tensor->dims));
    if (found->dtype == ATTN_OTHER)
        return attn_fail(error, "%s: tensor %s has another dtype, expected F32, F16 or BF16", path,
                         found->name);
    return 0;
}

static int check_tensors(const wanted_list *list, const attn_safetensor *extra, const char *path,
                         attn_error *error) {
    if (check_complete(list, extra, path, error))
        return -1;
    for (size_t i = 0; i < list->count; i++)
        if (check_tensor(&list->at[i], path, error))
            return -1;
    return 0;
}

/* A checkpoint of another model is called that before its first tensor that does not fit. */
static int check_model(const wanted_list *list, const attn_safetensor *extra, const attn_safetensors *file,
                       const attn_config *config, const char *path, attn_error *error) {
    attn_error why = {0};
    char other[200];
    if (!check_tensors(list, extra, path, &why))
        return 0;
    attn_model_recognise(other, file, config);
    if (!*other)
        return attn_fail(error, "%s", why.message);
    return attn_fail(error, "%s: %s: %s", path, other, why.message + strlen(path) + 2);
}

static int read_tensor(const wanted *want, const char *path, attn_error *error) {
    float *data = *want->tensor.data + want->tensor.offset;
    attn_safetensor_floats(want->found, data);
    for (size_t i = 0; i < want->found->count; i++)
        if (!isfinite(data[i]))
            return attn_fail(error, "%s: tensor %s has a non-finite value (%g) at element %zu", path,
                             want->found->name, (double)data[i], i);
    bool is_variance = strstr(want->tensor.name, "running_var") != NULL;
    for (size_t i = 0; is_variance && i < want->found->count; i++)
        if (data[i] < 0.0f)
            return attn_fail(error, "%s: tensor %s has a negative variance (%g) at element %zu", path,
                             want->found->name, (double)data[i], i);
    return 0;
}

static bool file_has(const attn_safetensors *file, const attn_config *config, const char *wanted_name) {
    for (size_t i = 0; i < attn_safetensors_count(file); i++) {
        char name[64];
        attn_model_canonical_name(name, config, attn_safetensors_at(file, i)->name);
        if (!strcmp(name, wanted_name))
            return true;
    }
    return false;
}

/* Some tensors are part of the model only when the checkpoint has them. */
static void take_embed_norm(attn_model *model, const attn_safetensors *file) {
    const attn_config *config = &model->config;
    bool has_norm =
        config->input_layer == ATTN_INPUT_LINEAR &&
        (file_has(file, config, "embed.out.1.weight") || file_has(file, config, "embed.out.1.bias"));
    if (model->embed.has_norm && !has_norm)
        attn_norm_free(&model->embed.norm);
    model->embed.has_norm = has_norm;
}

static void take_cmvn(attn_model *model, const attn_safetensors *file) {
    attn_embed *embed = &model->embed;
    bool has_cmvn = file_has(file, &model->config, "global_cmvn.mean") ||
                    file_has(file, &model->config, "global_cmvn.istd");
    if (embed->has_cmvn && !has_cmvn) {
        attn_free(embed->cmvn_mean);
        attn_free(embed->cmvn_istd);
        embed->cmvn_mean = embed->cmvn_istd = NULL;
    }
    embed->has_cmvn = has_cmvn;
}

static void take_gate_linear(attn_model *model, const attn_safetensors *file, size_t layer) {
    attn_cgmlp *cgmlp = &model->blocks[layer].cgmlp;
    char weight[64], bias[64];
    snprintf(weight, sizeof weight, "encoders.%zu.cgmlp.csgu.linear.weight", layer);
    snprintf(bias, sizeof bias, "encoders.%zu.cgmlp.csgu.linear.bias", layer);
    bool has_linear = file_has(file, &model->config, weight) || file_has(file, &model->config, bias);
    if (cgmlp->has_linear && !has_linear) {
        attn_free(cgmlp->linear.weight);
        attn_free(cgmlp->linear.bias);
        cgmlp->linear = (attn_linear){0};
    }
    cgmlp->has_linear = has_linear;
}

static int take_optional(attn_model *model, const attn_safetensors *file, attn_error *error) {
    take_cmvn(model, file);
    take_embed_norm(model, file);
    for (size_t i = 0; attn_uses_cgmlp(&model->config) && i < model->config.num_layers; i++)
        take_gate_linear(model, file, i);
    return attn_model_allocate(model, error);
}

int attn_model_load(attn_model *model, const char *path, attn_error *error) {
    int result = -1;
    attn_safetensors *file = NULL;
    wanted_list list = {0};
    const attn_safetensor *extra;
    if (attn_safetensors_open(&file, path, error) || take_optional(model, file, error) ||
        list_wanted(&list, model, error) || pair_tensors(&list, file, &model->config, path, &extra, error) ||
        check_model(&list, extra, file, &model->config, path, error))
        goto done;
    for (size_t i = 0; i < list.count; i++)
        if (read_tensor(&list.at[i], path, error))
            goto done;
    write_note(model, file, path);
    result = 0;
done:
    attn_free(list.by_name);
    attn_free(list.at);
    attn_safetensors_close(file);
    return result;
}

bool attn_model_normalizes(const attn_model *model) {
    return model->embed.has_cmvn;
}

const char *attn_model_load_note(const attn_model *model) {
    return model->load_note;
}
