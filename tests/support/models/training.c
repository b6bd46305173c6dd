#include "tests/support/models/training.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "base/text/ending.h"
#include "impl/model/model.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

void training_draw(float *out, size_t count, const char *name) {
    uint64_t state = 0xcbf29ce484222325u;
    for (const char *c = name; *c; c++)
        state = (state ^ (unsigned char)*c) * 0x100000001b3u;
    attn_random_uniform(out, count, 1.0f, &state);
}

static int fill(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)context, (void)error;
    size_t count = attn_tensor_count(tensor);
    float *data = *tensor->data + tensor->offset;
    bool variance = text_ends(tensor->name, "running_var");
    bool norm = tensor->rank == 1 && text_ends(tensor->name, ".weight");
    float scale = tensor->rank > 1 ? (float)(2.0 / sqrt((double)count / (double)tensor->dims[0])) : 0.5f;
    training_draw(data, count, tensor->name);
    for (size_t i = 0; i < count; i++)
        data[i] = variance ? 0.5f + data[i] * data[i] : norm ? 1.0f + 0.3f * data[i] : scale * data[i];
    return 0;
}

attn_model *training_model(const char *yaml, bool embed_norm, bool csgu_linear) {
    attn_config config;
    attn_model *model;
    attn_error error = {0};
    char note[256];
    if (attn_config_parse(&config, yaml, strlen(yaml), "case", note, &error) ||
        attn_model_create(&model, &config, &error))
        fail_msg("%s", error.message);
    model->embed.has_norm = embed_norm;
    for (size_t i = 0; i < config.num_layers; i++)
        model->blocks[i].cgmlp.has_linear = csgu_linear;
    assert_int_equal(attn_model_allocate(model, NULL), 0);
    attn_model_tensors(model, fill, NULL, NULL);
    return model;
}

void training_batch_read(training_batch *b, const json_t *lengths, const json_t *targets, size_t input_dim,
                         const char *features) {
    size_t used = 0, longest = 0, count = json_array_size(lengths);
    assert_in_range(count, 1, TRAINING_UTTERANCES);
    assert_int_equal(json_array_size(targets), count);
    for (size_t u = 0; u < count; u++) {
        const json_t *labels = json_array_get(targets, u);
        b->lengths[u] = (size_t)json_integer_value(json_array_get(lengths, u));
        b->label_counts[u] = json_array_size(labels);
        longest = b->lengths[u] > longest ? b->lengths[u] : longest;
        for (size_t i = 0; i < b->label_counts[u]; i++) {
            assert_true(used < TRAINING_LABELS);
            b->labels[used++] = (int32_t)json_integer_value(json_array_get(labels, i));
        }
    }
    size_t values = count * longest * input_dim;
    b->x = attn_alloc(values, sizeof *b->x, "features", NULL);
    training_draw(b->x, values, features);
    for (size_t i = 0; i < values; i++)
        b->x[i] *= 8;
    b->batch = (attn_train_batch){b->x, count, longest, b->lengths, b->labels, b->label_counts};
}

training_batch training_batch_one(const training_batch *b, size_t u, size_t input_dim) {
    training_batch one = *b;
    const int32_t *labels = b->labels;
    for (size_t i = 0; i < u; i++)
        labels += b->label_counts[i];
    one.batch = (attn_train_batch){
        b->x + u * b->batch.frames * input_dim, 1, b->lengths[u], NULL, labels, &b->label_counts[u]};
    return one;
}

attn_train_result training_pass(attn_model *gradient, const attn_model *model, const attn_train_batch *batch,
                                const attn_train_options *options) {
    enum { GUARD = 64 };
    attn_train_result result = {0};
    attn_parameters list;
    assert_int_equal(attn_parameters_list(&list, gradient, NULL), 0);
    attn_parameters_clear(&list);
    attn_parameters_free(&list);
    size_t bytes = attn_train_bytes(model, batch, options), live = attn_alloc_live();
    char *workspace = attn_alloc(bytes + GUARD, 1, "workspace", NULL);
    assert_non_null(workspace);
    memset(workspace, 0xff, bytes + GUARD); /* NaN: whatever is read before it is written shows */
    attn_train_gradients(gradient, model, batch, options, workspace, &result);
    for (size_t i = 0; i < GUARD; i++)
        assert_int_equal((unsigned char)workspace[bytes + i], 0xff);
    attn_free(workspace);
    assert_int_equal(attn_alloc_live(), live);
    return result;
}
