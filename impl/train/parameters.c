/* Models as vectors: gradients, moments and averages are models of the same tensors. */
#include "attn/train.h"

#include "attn/alloc.h"
#include "impl/model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int attn_model_like(attn_model **made, const attn_model *model, attn_error *error) {
    return attn_model_create_like(made, &model->config, model, error);
}

static int count_all(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)tensor, (void)error;
    ++*(size_t *)context;
    return 0;
}

/* Tensors of a stack come one after the other in the order of visits, so they join the one before. */
static int list_any(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    attn_parameters *list = context;
    size_t count = attn_tensor_count(tensor);
    if (tensor->offset) {
        list->at[list->count - 1].count += count;
        return 0;
    }
    attn_parameter *next = &list->at[list->count++];
    *next = (attn_parameter){.data = *tensor->data, .count = count, .decays = tensor->rank > 1};
    snprintf(next->name, sizeof next->name, "%s", tensor->name);
    return 0;
}

static int list_trained(void *context, const attn_tensor *tensor, attn_error *error) {
    return attn_tensor_is_trained(tensor->name) ? list_any(context, tensor, error) : 0;
}

static int make_list(attn_parameters *list, attn_model *model, attn_tensor_visitor *visit,
                     attn_error *error) {
    size_t room = 0;
    *list = (attn_parameters){0};
    if (attn_model_tensors(model, count_all, &room, error))
        return -1;
    list->at = attn_alloc(room, sizeof *list->at, "list of parameters", error);
    return list->at ? attn_model_tensors(model, visit, list, error) : -1;
}

int attn_parameters_list(attn_parameters *list, attn_model *model, attn_error *error) {
    return make_list(list, model, list_trained, error);
}

int attn_tensors_list(attn_parameters *list, attn_model *model, attn_error *error) {
    return make_list(list, model, list_any, error);
}

void attn_parameters_free(attn_parameters *list) {
    attn_free(list->at);
    *list = (attn_parameters){0};
}

int attn_gradient_save(attn_model *gradient, const char *path, attn_error *error) {
    return attn_model_save_some(gradient, path, attn_tensor_is_trained, error);
}

void attn_parameters_clear(const attn_parameters *list) {
    for (size_t i = 0; i < list->count; i++)
        memset(list->at[i].data, 0, list->at[i].count * sizeof(float));
}

double attn_parameters_norm(const attn_parameters *list) {
    double sum = 0;
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < list->at[i].count; j++)
            sum += (double)list->at[i].data[j] * (double)list->at[i].data[j];
    return sqrt(sum);
}

double attn_parameters_clip(const attn_parameters *list, double limit) {
    double norm = attn_parameters_norm(list);
    if (!(limit > 0) || norm <= limit)
        return norm;
    float factor = (float)(limit / norm);
    for (size_t i = 0; i < list->count; i++)
        for (size_t j = 0; j < list->at[i].count; j++)
            list->at[i].data[j] *= factor;
    return norm;
}

void attn_parameters_average(const attn_parameters *average, const attn_parameters *model, size_t count) {
    for (size_t i = 0; i < average->count; i++)
        for (size_t j = 0; j < average->at[i].count; j++) {
            float *mean = &average->at[i].data[j];
            *mean += (model->at[i].data[j] - *mean) / (float)count;
        }
}
