/* Passes on several threads: what one thread gives up to rounding, and the same bits each time. ThreadSanitizer runs this
 * program too (make tsan). */
#include "attn/alloc.h"
#include "attn/threads.h"
#include "impl/model/model.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/training.h"
#include "tests/support/threads.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct pass {
    attn_model *gradient;
    double loss;
} pass;

static pass run(size_t count, const attn_model *model, const training_batch *batch,
                const attn_train_options *options) {
    pass p;
    attn_threads *before = attn_threads_use(test_threads[count]);
    assert_int_equal(attn_model_like(&p.gradient, model, NULL), 0);
    p.loss = training_pass(p.gradient, model, &batch->batch, options).loss;
    attn_threads_use(before);
    return p;
}

/* |a - b| / |b| over all tensors. */
static double distance(attn_model *a, attn_model *b) {
    attn_parameters x, y;
    double off = 0, norm = 0;
    assert_int_equal(attn_tensors_list(&x, a, NULL), 0);
    assert_int_equal(attn_tensors_list(&y, b, NULL), 0);
    for (size_t i = 0; i < x.count; i++)
        for (size_t j = 0; j < x.at[i].count; j++) {
            double d = (double)x.at[i].data[j] - (double)y.at[i].data[j];
            off += d * d;
            norm += (double)y.at[i].data[j] * (double)y.at[i].data[j];
        }
    attn_parameters_free(&x);
    attn_parameters_free(&y);
    return sqrt(off / norm);
}

static void check(const char *about, attn_train_options options) {
    char text[512];
    snprintf(text, sizeof text,
             "{d_model: 16, num_heads: 4, num_layers: 2, conv_kernel_size: 3, ff_expansion_factor: 2, "
             "vocab_size: 5, %s}",
             about);
    attn_model *model = training_model(text, false, false);
    json_t *lengths = json_pack("[i, i, i]", 61, 40, 23),
           *targets = json_pack("[[i, i], [i], [i]]", 1, 2, 3, 4);
    training_batch batch;
    training_batch_read(&batch, lengths, targets, attn_model_config(model)->input_dim, "features");
    pass one = run(1, model, &batch, &options);
    for (size_t count = 2; count <= TEST_THREADS; count++) {
        pass first = run(count, model, &batch, &options), again = run(count, model, &batch, &options);
        if (!(fabs(first.loss - one.loss) <= 1e-5 * one.loss) ||
            !(distance(first.gradient, one.gradient) < 1e-5))
            fail_msg("%s, %zu threads: loss %.9g, expected %.9g; gradients %g apart", about, count,
                     first.loss, one.loss, distance(first.gradient, one.gradient));
        assert_true(first.loss == again.loss && distance(first.gradient, again.gradient) == 0);
        attn_model_free(first.gradient);
        attn_model_free(again.gradient);
    }
    attn_model_free(one.gradient);
    attn_free(batch.x);
    json_decref(lengths);
    json_decref(targets);
    attn_model_free(model);
}

static void test_types(void **state) {
    (void)state;
    static const char *const types[] = {
        "attention_type: mha", "attention_type: gqa, attention_kwargs: {num_kv_heads: 2}",
        "attention_type: mla_simple, attention_kwargs: {latent_dim: 8}",
        "attention_type: mla, attention_kwargs: {latent_dim: 8}", "attention_type: linear"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char about[160];
        snprintf(about, sizeof about, "model_type: conformer, %s", types[i]);
        check(about, (attn_train_options){0});
    }
}

static void test_models(void **state) {
    (void)state;
    check("model_type: conformer, causal: true, conv_norm: layer_norm", (attn_train_options){0});
    check("model_type: branchformer, cgmlp_linear_units: 24", (attn_train_options){0});
    check("model_type: branchformer, merge_method: learned_ave, input_layer: linear, input_dim: 16",
          (attn_train_options){.checkpoint_activations = true});
}

static void test_dropout(void **state) {
    (void)state;
    attn_train_options options = {.dropout = 0.2, .seed = 3, .step = 5};
    check("model_type: conformer", options);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_types), cmocka_unit_test(test_models),
                                       cmocka_unit_test(test_dropout)};
    return cmocka_run_group_tests(tests, test_threads_open, test_threads_close);
}
