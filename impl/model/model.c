#include "impl/model/model.h"

#include "attn/alloc.h"
#include "attn/memory.h"
#include "attn/random.h"
#include "base/text/ending.h"
#include "impl/attention/pack.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool attn_has_after_norm(const attn_config *config) {
    return config->after_norm && config->model_type != ATTN_MODEL_ATTENTION;
}

int attn_model_tensors(attn_model *model, attn_tensor_visitor *visit, void *context, attn_error *error) {
    const attn_config *config = &model->config;
    attn_walk walk = {.visit = visit, .context = context, .error = error};
    bool bare = config->model_type == ATTN_MODEL_ATTENTION && config->num_layers == 1;
    if (attn_embed_tensors(&walk, &model->embed, config))
        return -1;
    for (size_t layer = 0; layer < config->num_layers; layer++) {
        if (!bare)
            snprintf(walk.prefix, sizeof walk.prefix, "encoders.%zu.", layer);
        if (attn_block_tensors(&walk, &model->blocks[layer], config))
            return -1;
    }
    walk.prefix[0] = '\0';
    if (attn_has_after_norm(config) &&
        attn_walk_layer_norm(&walk, "after_norm", &model->after_norm, config->attention.d_model))
        return -1;
    return config->vocab_size ? attn_walk_linear(&walk, "ctc.ctc_lo", &model->ctc, config->vocab_size,
                                                 config->attention.d_model)
                              : 0;
}

/* Heads that are stacked share a block, so sizes are gathered before anything is allocated. */
typedef struct weight_block {
    float **data;
    size_t floats;
} weight_block;

typedef struct weight_blocks {
    weight_block *at;
    size_t count;
} weight_blocks;

static int gather_block(void *context, const attn_tensor *tensor, attn_error *error) {
    weight_blocks *blocks = context;
    size_t end = tensor->offset + attn_tensor_count(tensor);
    for (size_t i = blocks->count; i-- > 0;)
        if (blocks->at[i].data == tensor->data) {
            if (blocks->at[i].floats < end)
                blocks->at[i].floats = end;
            return 0;
        }
    weight_block *grown = attn_grown(blocks->at, blocks->count, sizeof *grown, "list of weights", error);
    if (!grown)
        return -1;
    blocks->at = grown;
    blocks->at[blocks->count++] = (weight_block){tensor->data, end};
    return 0;
}

static double missing_bytes(const weight_blocks *blocks) {
    double floats = 0;
    for (size_t i = 0; i < blocks->count; i++)
        if (!*blocks->at[i].data)
            floats += (double)blocks->at[i].floats;
    return floats * sizeof(float);
}

int attn_model_allocate(attn_model *model, attn_error *error) {
    weight_blocks blocks = {0};
    int result = attn_model_tensors(model, gather_block, &blocks, error);
    if (!result)
        result = attn_memory_check(missing_bytes(&blocks), "weights of the model", error);
    for (size_t i = 0; !result && i < blocks.count; i++)
        if (!*blocks.at[i].data) {
            *blocks.at[i].data = attn_alloc(blocks.at[i].floats, sizeof(float), "weights", error);
            result = *blocks.at[i].data ? 0 : -1;
        }
    attn_free(blocks.at);
    return result;
}

static int pass_over(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)context, (void)tensor, (void)error;
    return 0;
}

/* A walk over the tensors sets the widths of what they belong to. */
static int set_shapes(attn_model *model, attn_error *error) {
    return attn_model_tensors(model, pass_over, NULL, error);
}

static int create(attn_model **made, const attn_config *config,
                  int (*fill)(attn_model *model, attn_error *error), attn_error *error) {
    *made = NULL;
    if (attn_config_check(config, "model", error))
        return -1;
    attn_model *model = attn_alloc(1, sizeof *model, "model", error);
    if (!model)
        return -1;
    model->config = *config;
    model->blocks = attn_alloc(config->num_layers, sizeof *model->blocks, "layers", error);
    if (!model->blocks)
        goto failed;
    for (size_t i = 0; i < config->num_layers; i++)
        model->blocks[i].attention.geometry = attn_config_geometry(config, i);
    if (fill(model, error))
        goto failed;
    *made = model;
    return 0;
failed:
    attn_model_free(model);
    return -1;
}

int attn_model_create(attn_model **made, const attn_config *config, attn_error *error) {
    return create(made, config, attn_model_allocate, error);
}

int attn_model_create_shapes(attn_model **made, const attn_config *config, attn_error *error) {
    return create(made, config, set_shapes, error);
}

int attn_model_create_like(attn_model **made, const attn_config *config, const attn_model *from,
                           attn_error *error) {
    if (attn_model_create(made, config, error))
        return -1;
    (*made)->embed.has_norm = from->embed.has_norm;
    (*made)->embed.has_cmvn = from->embed.has_cmvn;
    for (size_t i = 0; i < config->num_layers; i++)
        (*made)->blocks[i].cgmlp.has_linear = from->blocks[i].cgmlp.has_linear;
    if (!attn_model_allocate(*made, error))
        return 0;
    attn_model_free(*made);
    *made = NULL;
    return -1;
}

static int free_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)context;
    (void)error;
    attn_free(*tensor->data);
    *tensor->data = NULL;
    return 0;
}

void attn_model_free(attn_model *model) {
    if (!model)
        return;
    if (model->blocks)
        attn_model_tensors(model, free_tensor, NULL, NULL);
    attn_free(model->packed);
    attn_free(model->blocks);
    attn_free(model);
}

static int visit_model(void *owner, attn_tensor_visitor *visit, void *packing, attn_error *error) {
    return attn_model_tensors(owner, visit, packing, error);
}

int attn_model_pack(attn_model *model, attn_error *error) {
    return attn_pack(&model->packed, visit_model, model, error);
}

const attn_config *attn_model_config(const attn_model *model) {
    return &model->config;
}

attn_layer *attn_model_attention(attn_model *model, size_t layer) {
    return &model->blocks[layer].attention;
}

typedef struct randomizer {
    uint64_t state;
    float scale; /* of the weight seen last: its bias gets the same */
} randomizer;

static int randomize_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    randomizer *random = context;
    float *data = *tensor->data + tensor->offset;
    size_t count = attn_tensor_count(tensor);
    bool is_norm = tensor->rank == 1 && text_ends(tensor->name, ".weight");
    if (is_norm || text_ends(tensor->name, ".running_var")) {
        random->scale = 0;
        for (size_t i = 0; i < count; i++)
            data[i] = 1;
        return 0;
    }
    if (tensor->rank > 1)
        random->scale = 1 / sqrtf((float)(count / tensor->dims[0]));
    attn_random_uniform(data, count, random->scale, &random->state);
    return 0;
}

void attn_model_randomize(attn_model *model, uint64_t seed) {
    randomizer random = {.state = seed};
    attn_model_tensors(model, randomize_tensor, &random, NULL);
}

bool attn_tensor_is_trained(const char *name) {
    return !text_ends(name, ".running_mean") && !text_ends(name, ".running_var") &&
           strncmp(name, "global_cmvn.", 12);
}

static int count_parameters(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    if (attn_tensor_is_trained(tensor->name))
        *(size_t *)context += attn_tensor_count(tensor);
    return 0;
}

size_t attn_model_parameters(const attn_model *model) {
    size_t parameters = 0; /* visiting changes nothing here */
    attn_model_tensors((attn_model *)(uintptr_t)model, count_parameters, &parameters, NULL);
    return parameters;
}

static int count_bytes(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    if (tensor->offset == 0)
        *(size_t *)context += attn_alloc_size(*tensor->data);
    return 0;
}

size_t attn_model_weight_bytes(const attn_model *model) {
    size_t bytes = 0;
    attn_model_tensors((attn_model *)(uintptr_t)model, count_bytes, &bytes, NULL);
    return bytes;
}

size_t attn_model_packed_bytes(const attn_model *model) {
    return attn_alloc_size(model->packed);
}
