/* Gradients in float: against PyTorch's in double (tests/golden/train) with every instruction set; a padded
 * batch against its utterances alone; checkpointed activations against kept ones. */
#include "attn/alloc.h"
#include "attn/cpu.h"
#include "impl/model/model.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double tolerance = 1e-4; /* of a tensor's norm */
/* Of the whole norm: what the rounding of activations leaves of gradients that hang on small differences, such
 * as the pooling of frames that attention made nearly equal. Few tensors may need it. */
static const double rounding = 1e-8;
enum { TINY = 8 };
static const double zero_tolerance = 1e-6; /* of the whole norm, where a gradient is zero by construction */

static json_t *cases;
static double worst, worst_zero;
static size_t tiny;

typedef struct comparison {
    const attn_safetensors *expected;
    double total;
    const char *name;
    size_t seen;
} comparison;

static bool is_trained(const char *name) {
    return !strstr(name, "running_");
}

static int compare_tensor(void *context, const attn_tensor *tensor, attn_error *error) {
    (void)error;
    comparison *c = context;
    if (!is_trained(tensor->name))
        return 0;
    const attn_safetensor *found = attn_safetensors_find(c->expected, tensor->name);
    if (!found)
        fail_msg("%s: PyTorch has no %s", c->name, tensor->name);
    assert_int_equal(found->count, attn_tensor_count(tensor));
    float *expected = attn_alloc(found->count, sizeof *expected, "tensor", NULL);
    attn_safetensor_floats(found, expected);
    double off = 0, norm = 0;
    for (size_t i = 0; i < found->count; i++) {
        double e = expected[i], d = (double)(*tensor->data)[tensor->offset + i] - e;
        off += d * d;
        norm += e * e;
    }
    attn_free(expected);
    off = sqrt(off);
    norm = sqrt(norm);
    bool zero = norm <= 1e-9 * c->total;
    double limit = zero ? zero_tolerance * c->total : fmax(tolerance * norm, rounding * c->total);
    if (!(off <= limit))
        fail_msg("%s: %s: off by %g, limit %g (norm %g of %g)", c->name, tensor->name, off, limit, norm,
                 c->total);
    c->seen++;
    if (!zero && off > tolerance * norm) {
        tiny++;
        return 0;
    }
    double *mark = zero ? &worst_zero : &worst, share = zero ? off / c->total : off / norm;
    *mark = share > *mark ? share : *mark;
    return 0;
}

static double total_norm(const attn_safetensors *file) {
    double sum = 0;
    for (size_t i = 0; i < attn_safetensors_count(file); i++) {
        const attn_safetensor *t = attn_safetensors_at(file, i);
        float *data = attn_alloc(t->count, sizeof *data, "tensor", NULL);
        attn_safetensor_floats(t, data);
        for (size_t j = 0; j < t->count; j++)
            sum += (double)data[j] * (double)data[j];
        attn_free(data);
    }
    return sqrt(sum);
}

typedef struct golden {
    attn_model *model, *gradient;
    training_batch batch;
    attn_safetensors *file;
    const char *name;
    double loss;
} golden;

static const char ONE_LAYER[] = "\"num_layers\": 1";

/* With as many layers: more than the file has, for what compares passes with each other. */
static void open_layers(golden *g, const json_t *row, char layers) {
    char path[256], config[1024];
    attn_error error = {0};
    *g = (golden){.name = json_string_value(json_object_get(row, "name")),
                  .loss = json_number_value(json_object_get(row, "loss"))};
    snprintf(path, sizeof path, "tests/golden/train/%s.safetensors", g->name);
    if (attn_safetensors_open(&g->file, path, &error))
        fail_msg("%s", error.message);
    snprintf(config, sizeof config, "%s", json_string_value(json_object_get(row, "config")));
    char *count = strstr(config, ONE_LAYER);
    assert_non_null(count);
    count[sizeof ONE_LAYER - 2] = layers;
    g->model = training_model(config, attn_safetensors_find(g->file, "embed.out.1.weight") != NULL,
                              attn_safetensors_find(g->file, "encoders.0.cgmlp.csgu.linear.weight") != NULL);
    training_batch_read(&g->batch, json_object_get(row, "lengths"), json_object_get(row, "targets"),
                        attn_model_config(g->model)->input_dim, "features");
    assert_int_equal(attn_model_like(&g->gradient, g->model, NULL), 0);
}

static void open_case(golden *g, const json_t *row) {
    open_layers(g, row, '1');
}

static void close_case(golden *g) {
    attn_model_free(g->model);
    attn_model_free(g->gradient);
    attn_safetensors_close(g->file);
    attn_free(g->batch.x);
}

static void test_against_autograd(void **state) {
    (void)state;
    size_t index;
    const json_t *row;
    assert_int_equal(json_array_size(cases), 150);
    json_array_foreach(cases, index, row) {
        golden g;
        open_case(&g, row);
        comparison c = {.expected = g.file, .total = total_norm(g.file), .name = g.name};
        for (int isa = 0; isa <= (int)attn_cpu_isa(); isa++) {
            attn_isa before = attn_cpu_limit((attn_isa)isa);
            attn_train_result r =
                training_pass(g.gradient, g.model, &g.batch.batch, &(attn_train_options){0});
            attn_cpu_limit(before);
            assert_int_equal(r.infeasible, 1);
            if (!(fabs(r.loss - g.loss) <= 1e-5 * g.loss))
                fail_msg("%s: loss %.9g, expected %.9g", g.name, r.loss, g.loss);
            c.seen = 0;
            attn_model_tensors(g.gradient, compare_tensor, &c, NULL);
            assert_int_equal(c.seen, attn_safetensors_count(g.file));
        }
        close_case(&g);
    }
    print_message("150 cases: at most %.2g of a tensor's norm, zeros at most %.2g of the whole; %zu tiny\n",
                  worst, worst_zero, tiny);
    assert_in_range(tiny, 0, TINY);
}

/* sum of squares of a - b, and of b. */
static void distance(double sums[2], attn_model *a, attn_model *b) {
    attn_parameters x, y;
    attn_parameters_list(&x, a, NULL);
    attn_parameters_list(&y, b, NULL);
    sums[0] = sums[1] = 0;
    for (size_t i = 0; i < x.count; i++)
        for (size_t j = 0; j < x.at[i].count; j++) {
            double d = (double)x.at[i].data[j] - (double)y.at[i].data[j], v = y.at[i].data[j];
            sums[0] += d * d;
            sums[1] += v * v;
        }
    attn_parameters_free(&x);
    attn_parameters_free(&y);
}

static void add_model(attn_model *sum, attn_model *part, double factor) {
    attn_parameters x, y;
    attn_parameters_list(&x, sum, NULL);
    attn_parameters_list(&y, part, NULL);
    for (size_t i = 0; i < x.count; i++)
        for (size_t j = 0; j < x.at[i].count; j++)
            x.at[i].data[j] += (float)factor * y.at[i].data[j];
    attn_parameters_free(&x);
    attn_parameters_free(&y);
}

/* The mean of the utterances' gradients, with BatchNorm by its running statistics. */
static void test_padding_is_invisible(void **state) {
    (void)state;
    size_t index;
    const json_t *row;
    attn_train_options options = {.fixed_statistics = true};
    json_array_foreach(cases, index, row) {
        golden g;
        open_case(&g, row);
        size_t count = g.batch.batch.utterances, dim = attn_model_config(g.model)->input_dim;
        attn_model *sum, *one;
        assert_int_equal(attn_model_like(&sum, g.model, NULL), 0);
        assert_int_equal(attn_model_like(&one, g.model, NULL), 0);
        double loss = 0, sums[2];
        for (size_t u = 0; u < count; u++) {
            training_batch alone = training_batch_one(&g.batch, u, dim);
            loss += training_pass(one, g.model, &alone.batch, &options).loss / (double)count;
            add_model(sum, one, 1.0 / (double)count);
        }
        double batch_loss = training_pass(g.gradient, g.model, &g.batch.batch, &options).loss;
        assert_true(fabs(batch_loss - loss) <= 1e-5 * loss);
        distance(sums, g.gradient, sum);
        if (!(sqrt(sums[0]) <= 1e-5 * sqrt(sums[1])))
            fail_msg("%s: off by %g of %g", g.name, sqrt(sums[0]), sqrt(sums[1]));
        attn_model_free(sum);
        attn_model_free(one);
        close_case(&g);
    }
}

/* Padding that is not a number stays unseen, and a checkpointed pass gives the same bits. */
static void test_padding_and_checkpoints_to_the_bit(void **state) {
    (void)state;
    size_t index;
    const json_t *row;
    attn_train_options options = {.dropout = 0.2, .seed = 7, .step = 3};
    json_array_foreach(cases, index, row) {
        golden g;
        open_layers(&g, row, '3');
        size_t frames = g.batch.batch.frames, dim = attn_model_config(g.model)->input_dim;
        attn_model *other;
        assert_int_equal(attn_model_like(&other, g.model, NULL), 0);
        double loss = training_pass(g.gradient, g.model, &g.batch.batch, &options).loss, sums[2];
        for (size_t u = 0; u < g.batch.batch.utterances; u++)
            for (size_t i = g.batch.lengths[u] * dim; i < frames * dim; i++)
                g.batch.x[u * frames * dim + i] = NAN;
        attn_train_options checkpoints = options;
        checkpoints.checkpoint_activations = true;
        assert_true(training_pass(other, g.model, &g.batch.batch, &checkpoints).loss == loss);
        distance(sums, other, g.gradient);
        assert_true(sums[0] == 0 && sums[1] > 0);
        attn_model_free(other);
        close_case(&g);
    }
}

/* Activations in 16 bits: the loss and the statistics to the bit, gradients to the rounding of bf16, and not the same. */
static void test_bf16_activations(void **state) {
    (void)state;
    size_t index, changed = 0;
    double most = 0;
    const json_t *row;
    json_array_foreach(cases, index, row) {
        golden g;
        open_layers(&g, row, '3');
        attn_model *other;
        attn_train_options options = {0};
        double loss = training_pass(g.gradient, g.model, &g.batch.batch, &options).loss, sums[2];
        assert_int_equal(attn_model_like(&other, g.model, NULL), 0);
        options.bf16_activations = true;
        for (int checkpoints = 0; checkpoints < 2; checkpoints++) {
            options.checkpoint_activations = checkpoints;
            assert_true(training_pass(other, g.model, &g.batch.batch, &options).loss == loss);
            distance(sums, other, g.gradient);
            changed += sums[0] > 0;
            if (sqrt(sums[0] / sums[1]) > most)
                most = sqrt(sums[0] / sums[1]);
        }
        attn_model_free(other);
        close_case(&g);
    }
    print_message("gradients of bf16 activations: at most %.2g from those of float32\n", most);
    assert_true(changed > 0 && most < 0.02);
}

/* Without weights, what is measured is the same. */
static void test_bytes_of_shapes(void **state) {
    (void)state;
    size_t index;
    const json_t *row;
    json_array_foreach(cases, index, row) {
        golden g;
        attn_model *shapes, *full;
        open_case(&g, row);
        const attn_config *config = attn_model_config(g.model);
        attn_train_options options = {.checkpoint_activations = index % 2,
                                      .bf16_activations = index % 3 == 0};
        assert_int_equal(attn_model_create_shapes(&shapes, config, NULL), 0);
        assert_int_equal(attn_model_create(&full, config, NULL), 0);
        assert_int_equal(attn_train_bytes(shapes, &g.batch.batch, &options),
                         attn_train_bytes(full, &g.batch.batch, &options));
        attn_model_free(shapes);
        attn_model_free(full);
        close_case(&g);
    }
}

static size_t bytes_of(const char *yaml, size_t utterances, size_t frames, bool checkpoints, bool bf16) {
    enum { LABELS = 16 };
    size_t counts[8];
    attn_model *model = training_model(yaml, false, false);
    for (size_t u = 0; u < utterances; u++)
        counts[u] = LABELS;
    attn_train_batch batch = {.utterances = utterances, .frames = frames, .label_counts = counts};
    attn_train_options options = {.checkpoint_activations = checkpoints, .bf16_activations = bf16};
    size_t bytes = attn_train_bytes(model, &batch, &options);
    attn_model_free(model);
    return bytes;
}

/* What the formula says of sizes that people have. */
static void test_memory(void **state) {
    (void)state;
    const char *deep = "{d_model: 256, num_heads: 4, num_layers: 12, conv_kernel_size: 15, vocab_size: 500}";
    const char *small = "{d_model: 64, num_heads: 4, num_layers: 3, conv_kernel_size: 15, vocab_size: 30}";
    size_t kept = bytes_of(deep, 8, 400, false, false), again = bytes_of(deep, 8, 400, true, false);
    size_t half = bytes_of(deep, 8, 400, false, true), both = bytes_of(deep, 8, 400, true, true);
    print_message("d_model 256, 12 layers, 8 x 400 frames: %zu MB; checkpoints %zu, bf16 %zu, both %zu MB\n",
                  kept >> 20, again >> 20, half >> 20, both >> 20);
    assert_true(again <= kept / 5);
    assert_true(half <= kept * 2 / 3 && both < again);
    assert_true(bytes_of(small, 8, 320, false, false) <= (size_t)64 << 20);
    assert_true(bytes_of(small, 1, 0, false, false) < bytes_of(small, 1, 7, false, false));
}

static void test_nan_comes_out(void **state) {
    (void)state;
    golden g;
    open_case(&g, json_array_get(cases, 0));
    double losses[TRAINING_UTTERANCES];
    attn_train_result result = {.losses = losses};
    attn_train_options options = {0};
    g.batch.x[3] = NAN;
    void *workspace = attn_alloc(attn_train_bytes(g.model, &g.batch.batch, &options), 1, "workspace", NULL);
    options.fixed_statistics = true;
    attn_train_gradients(g.gradient, g.model, &g.batch.batch, &options, workspace, &result);
    assert_true(isnan(result.loss) && isnan(losses[0]) && isfinite(losses[1]));
    attn_free(workspace);
    close_case(&g);
}

int main(void) {
    cases = json_load_file("tests/golden/train/cases.json", 0, NULL);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_autograd),
                                       cmocka_unit_test(test_padding_is_invisible),
                                       cmocka_unit_test(test_padding_and_checkpoints_to_the_bit),
                                       cmocka_unit_test(test_bf16_activations),
                                       cmocka_unit_test(test_bytes_of_shapes),
                                       cmocka_unit_test(test_memory),
                                       cmocka_unit_test(test_nan_comes_out)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(cases);
    return failed;
}
