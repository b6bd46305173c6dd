/* Gradients of the training passes, compiled in double, against central differences of the loss: every type,
 * encoder, position, norm, merge method, input layer and option, over ragged batches. Starts early. */
#include "attn/alloc.h"
#include "attn/random.h"
#include "attn/train.h"
#include "impl/model/model.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The double build: the models' pointers lead to doubles. */
size_t attn_train_bytes_f64(const attn_model *model, const attn_train_batch *batch,
                            const attn_train_options *options);
void attn_train_gradients_f64(attn_model *gradient, const attn_model *model, const attn_train_batch *batch,
                              const attn_train_options *options, void *workspace, attn_train_result *result);

enum { UTTERANCES = 3, VOCAB = 5, SAMPLES = 9 };
static const double absolute = 2e-8, relative = 2e-6;
static const int32_t labels[] = {1, 3, 3, 2, 2, 2, 4, 1};
static const size_t label_counts[UTTERANCES] = {3, 4, 1}; /* the second cannot be aligned with 4 frames */

static attn_config tiny_config(attn_model_type type, const attn_variant *variant, attn_pos_enc pos_enc) {
    attn_config c = {.model_type = type,
                     .variant = variant,
                     .attention = {.d_model = 4,
                                   .num_heads = 2,
                                   .num_kv_heads = variant->has_kv_heads ? 1 : 0,
                                   .latent_dim = variant->has_latent ? 3 : 0,
                                   .pos_enc = pos_enc},
                     .num_layers = 2,
                     .input_dim = 4,
                     .vocab_size = VOCAB,
                     .conv_kernel_size = 3,
                     .ff_units = 6,
                     .cgmlp_units = 6,
                     .cgmlp_weight = 0.3,
                     .after_norm = true,
                     .layer_norm_eps = 1e-5};
    assert_int_equal(attn_geometry_complete(&c.attention, variant, NULL, NULL), 0);
    return c;
}

/* Where a tensor's memory begins it is replaced by as many doubles; they are drawn. */
static int to_doubles(void *context, const attn_tensor *tensor, attn_error *error) {
    if (tensor->offset)
        return 0;
    size_t count = attn_alloc_size(*tensor->data) / sizeof(float);
    double *wide = attn_alloc(count, sizeof *wide, "doubles", error);
    assert_non_null(wide);
    bool variance = strstr(tensor->name, "running_var") != NULL;
    bool weight = tensor->rank == 1 && strstr(tensor->name, ".weight") != NULL;
    for (size_t i = 0; context && i < count; i++) {
        double draw = (double)(attn_random_next(context) >> 11) * 0x1p-52 - 1.0;
        wide[i] = variance ? 0.5 + draw * draw : weight ? 1.0 + 0.3 * draw : 0.8 * draw;
    }
    attn_free(*tensor->data);
    *tensor->data = (void *)wide;
    return 0;
}

typedef struct trial {
    attn_model *model, *gradient;
    attn_train_batch batch;
    attn_train_options options;
    void *workspace;
    char text[200];
    double total; /* norm of the gradient */
    size_t checked;
} trial;

static double loss_of(trial *t, attn_model *gradient) {
    attn_train_result result = {0};
    attn_train_gradients_f64(gradient, t->model, &t->batch, &t->options, t->workspace, &result);
    assert_int_equal(result.infeasible, 1);
    return result.loss;
}

typedef struct pairs {
    attn_tensor at[512];
    size_t count;
} pairs;

static int add_pair(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    pairs *list = context;
    assert_true(list->count < 512);
    list->at[list->count++] = *tensor;
    return 0;
}

static bool is_parameter(const char *name) {
    return !strstr(name, "running_") && !strstr(name, "global_cmvn");
}

/* (f(2 h), f(h), f(-h), f(-2 h)) to the derivative, to h^4. */
static double quotient(trial *t, double *value, double h) {
    double kept = *value, f[4];
    for (int i = 0; i < 4; i++) {
        *value = kept + h * (i < 2 ? 2 - i : 1 - i);
        f[i] = loss_of(t, NULL);
    }
    *value = kept;
    return (8 * (f[1] - f[2]) - (f[0] - f[3])) / (12 * h);
}

/* A kink of a ReLU may be within a step: then a smaller one agrees. */
static void check_element(trial *t, const char *name, double *value, double gradient) {
    double expected = 0;
    t->checked++;
    for (double h = 1e-4; h > 1e-7; h /= 10) {
        expected = quotient(t, value, h);
        if (fabs(gradient - expected) <= absolute * (1 + t->total) + relative * fabs(expected))
            return;
    }
    fail_msg("%s: %s: gradient %.12g, difference quotient %.12g", t->text, name, gradient, expected);
}

static double norm_of(const pairs *gradients) {
    double sum = 0;
    for (size_t i = 0; i < gradients->count; i++) {
        const attn_tensor *g = &gradients->at[i];
        const double *data = (const double *)(void *)*g->data + g->offset;
        for (size_t j = 0; is_parameter(g->name) && j < attn_tensor_count(g); j++)
            sum += data[j] * data[j];
    }
    return sqrt(sum);
}

static attn_model *make_wide(const attn_model *like, uint64_t *random) {
    attn_model *made;
    assert_int_equal(attn_model_like(&made, like, NULL), 0);
    assert_int_equal(attn_model_tensors(made, to_doubles, random, NULL), 0);
    return made;
}

static void check_gradients(trial *t, uint64_t *random) {
    pairs *weights = attn_alloc(1, sizeof *weights, "list", NULL);
    pairs *gradients = attn_alloc(1, sizeof *gradients, "list", NULL);
    attn_model_tensors(t->model, add_pair, weights, NULL);
    attn_model_tensors(t->gradient, add_pair, gradients, NULL);
    t->workspace = attn_alloc(attn_train_bytes_f64(t->model, &t->batch, &t->options), 1, "workspace", NULL);
    loss_of(t, t->gradient);
    t->total = norm_of(gradients);
    assert_true(t->total > 1e-3);
    for (size_t i = 0; i < weights->count; i++) {
        const attn_tensor *w = &weights->at[i], *g = &gradients->at[i];
        double *value = (double *)(void *)*w->data + w->offset;
        const double *gradient = (const double *)(void *)*g->data + g->offset;
        size_t count = attn_tensor_count(w);
        for (size_t s = 0; is_parameter(w->name) && s < SAMPLES && s < count; s++) {
            size_t j = count <= SAMPLES ? s : attn_random_below(random, count);
            check_element(t, w->name, value + j, gradient[j]);
        }
    }
    attn_free(t->workspace);
    attn_free(weights);
    attn_free(gradients);
}

/* `optional`: the tensors that only some checkpoints have. */
static size_t check_config(const attn_config *config, bool optional, const attn_train_options *options,
                           uint64_t *random) {
    attn_model *shape;
    attn_error error = {0};
    if (attn_model_create(&shape, config, &error))
        fail_msg("%s", error.message);
    shape->embed.has_cmvn = optional;
    shape->embed.has_norm = optional && config->input_layer == ATTN_INPUT_LINEAR;
    for (size_t i = 0; i < config->num_layers; i++)
        shape->blocks[i].cgmlp.has_linear = optional;
    assert_int_equal(attn_model_allocate(shape, NULL), 0);
    bool conv2d = config->input_layer == ATTN_INPUT_CONV2D;
    size_t frames = conv2d ? 31 : 7, lengths[UTTERANCES] = {frames, conv2d ? 20 : 4, conv2d ? 11 : 2};
    float *x = attn_alloc(UTTERANCES * frames * config->input_dim, sizeof *x, "x", NULL);
    attn_random_uniform(x, UTTERANCES * frames * config->input_dim, 1.5f, random);
    trial t = {.batch = {x, UTTERANCES, frames, lengths, labels, label_counts}, .options = *options};
    snprintf(t.text, sizeof t.text, "%s %s %s, input %s, norm %s, merge %s%s%s%s%s",
             attn_model_type_names[config->model_type], config->variant->name,
             attn_pos_enc_names[config->attention.pos_enc], attn_input_layer_names[config->input_layer],
             attn_conv_norm_names[config->conv_norm], attn_merge_names[config->merge_method],
             config->causal ? ", causal" : "", optional ? ", optional tensors" : "",
             options->dropout > 0 ? ", dropout" : "", options->checkpoint_activations ? ", checkpoints" : "");
    t.model = make_wide(shape, random);
    t.gradient = make_wide(shape, NULL);
    check_gradients(&t, random);
    attn_free(x);
    attn_model_free(t.model);
    attn_model_free(t.gradient);
    attn_model_free(shape);
    return t.checked;
}

/* Options turn with the number of the case, so that each is met with each type and position. */
static void turn_options(attn_config *c, attn_train_options *o, bool *optional, size_t turn) {
    static const attn_input_layer inputs[] = {ATTN_INPUT_NONE, ATTN_INPUT_CONV2D, ATTN_INPUT_LINEAR};
    c->conv_norm = turn % 2 ? ATTN_NORM_LAYER : ATTN_NORM_BATCH;
    c->causal = turn / 2 % 2;
    c->conv_kernel_size = c->causal ? 4 : 3;
    c->merge_method = (attn_merge)(turn % 3);
    c->input_layer = inputs[turn / 3 % 3];
    c->input_dim = c->input_layer == ATTN_INPUT_CONV2D ? 11 : c->input_layer == ATTN_INPUT_LINEAR ? 5 : 4;
    c->after_norm = turn % 5 != 0;
    *optional = turn / 4 % 2;
    *o = (attn_train_options){.dropout = turn % 4 == 3 ? 0.3 : 0.0,
                              .seed = turn,
                              .step = 5,
                              .fixed_statistics = turn % 7 == 4,
                              .checkpoint_activations = turn % 5 == 2};
}

static void check_model_type(attn_model_type type) {
    uint64_t random = 20261126;
    size_t turn = 0, cases = 0, checked = 0, expected = 0;
    for (size_t v = 0; attn_variants[v]; v++) {
        attn_config any = tiny_config(type, attn_variants[v], ATTN_POS_NONE);
        if (attn_train_check(&any, NULL))
            continue;
        expected += 3 * (attn_variants[v]->is_softmax ? (size_t)4 : 2); /* positions */
        for (attn_pos_enc pos = ATTN_POS_NONE; pos <= ATTN_POS_REL_WENET; pos++)
            for (size_t i = 0; i < 3; i++, turn++) {
                if (!attn_variants[v]->is_softmax && pos >= ATTN_POS_REL)
                    continue;
                attn_config config = tiny_config(type, attn_variants[v], pos);
                attn_train_options options;
                bool optional;
                turn_options(&config, &options, &optional, turn);
                config.num_layers = type == ATTN_MODEL_ATTENTION && i ? 1 : 2;
                checked += check_config(&config, optional, &options, &random);
                cases++;
            }
    }
    assert_int_equal(cases, expected);
    assert_true(cases >= 54); /* five types */
    print_message("%s: %zu cases, %zu elements\n", attn_model_type_names[type], cases, checked);
}

static void test_attention(void **state) {
    (void)state;
    check_model_type(ATTN_MODEL_ATTENTION);
}

static void test_conformer(void **state) {
    (void)state;
    check_model_type(ATTN_MODEL_CONFORMER);
}

static void test_branchformer(void **state) {
    (void)state;
    check_model_type(ATTN_MODEL_BRANCHFORMER);
}

/* fixed_ave with all weight on one branch: the other is not there. */
static void test_one_branch(void **state) {
    (void)state;
    uint64_t random = 3;
    for (int share = 0; share <= 1; share++) {
        attn_config config = tiny_config(ATTN_MODEL_BRANCHFORMER, attn_variant_find("mha"), ATTN_POS_REL);
        config.merge_method = ATTN_MERGE_FIXED_AVE;
        config.cgmlp_weight = share;
        attn_train_options options = {0};
        assert_true(check_config(&config, false, &options, &random) > 100);
    }
}

/* A type of attention that only the registry knows. */
static void test_type_without_passes(void **state) {
    (void)state;
    attn_variant stranger = *attn_variant_find("mha");
    attn_config config = tiny_config(ATTN_MODEL_CONFORMER, attn_variant_find("mha"), ATTN_POS_NONE);
    attn_error error = {0};
    assert_int_equal(attn_train_check(&config, &error), 0);
    stranger.name = "stranger";
    config.variant = &stranger;
    assert_int_equal(attn_train_check(&config, &error), -1);
    assert_int_equal(error.code, ATTN_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "stranger"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_type_without_passes),
                                       cmocka_unit_test(test_attention), cmocka_unit_test(test_conformer),
                                       cmocka_unit_test(test_branchformer),
                                       cmocka_unit_test(test_one_branch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
