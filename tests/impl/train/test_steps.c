/* Steps of AdamW from the same weights over the same batches as PyTorch's in double
 * (tests/golden/train/steps.json), and the small functions that make a step. */
#include "attn/alloc.h"
#include "impl/model/model.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BATCHES = 4 };

static double number(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

typedef struct trainer {
    attn_model *models[4]; /* weights, gradient, m, v */
    attn_parameters lists[4];
} trainer;

static void open_trainer(trainer *t, attn_model *model) {
    t->models[0] = model;
    for (size_t i = 0; i < 4; i++) {
        if (i)
            assert_int_equal(attn_model_like(&t->models[i], model, NULL), 0);
        assert_int_equal(attn_parameters_list(&t->lists[i], t->models[i], NULL), 0);
    }
}

static void close_trainer(trainer *t) {
    for (size_t i = 0; i < 4; i++) {
        attn_parameters_free(&t->lists[i]);
        attn_model_free(t->models[i]);
    }
}

static double check_run(const json_t *all, const json_t *run) {
    trainer t;
    training_batch batches[BATCHES];
    attn_model *model = training_model(json_string_value(json_object_get(run, "config")), false, false);
    open_trainer(&t, model);
    for (size_t i = 0; i < BATCHES; i++) {
        char name[32];
        snprintf(name, sizeof name, "features %zu", i);
        training_batch_read(&batches[i], json_object_get(run, "lengths"), json_object_get(run, "targets"),
                            attn_model_config(model)->input_dim, name);
    }
    size_t steps = (size_t)number(all, "count");
    double worst = 0;
    for (size_t step = 1; step <= steps; step++) {
        attn_adamw options = {attn_learning_rate(number(all, "peak"), step, (uint64_t)number(all, "warmup"),
                                                 steps, number(all, "floor")),
                              0.9, 0.98, number(all, "eps"), number(all, "weight_decay")};
        double loss =
            training_pass(t.models[1], model, &batches[step % BATCHES].batch, &(attn_train_options){0}).loss;
        double norm = attn_parameters_clip(&t.lists[1], number(all, "clip"));
        attn_adamw_step(&t.lists[0], &t.lists[1], &t.lists[2], &t.lists[3], &options, step);
        double expected = json_number_value(json_array_get(json_object_get(run, "losses"), step - 1));
        double expected_norm = json_number_value(json_array_get(json_object_get(run, "norms"), step - 1));
        double off = fabs(loss - expected) / expected;
        if (!(off <= 1e-4) || !(fabs(norm - expected_norm) <= 1e-3 * expected_norm))
            fail_msg("%s: step %zu: loss %.9g, expected %.9g; norm %.9g, expected %.9g",
                     json_string_value(json_object_get(run, "name")), step, loss, expected, norm,
                     expected_norm);
        worst = off > worst ? off : worst;
    }
    for (size_t i = 0; i < BATCHES; i++)
        attn_free(batches[i].x);
    close_trainer(&t);
    return worst;
}

static void test_fifty_steps(void **state) {
    (void)state;
    json_t *all = json_load_file("tests/golden/train/steps.json", 0, NULL), *run;
    size_t index;
    assert_int_equal(json_array_size(json_object_get(all, "runs")), 4);
    assert_int_equal(json_integer_value(json_object_get(all, "batches")), BATCHES);
    json_array_foreach(json_object_get(all, "runs"), index, run) {
        double worst = check_run(all, run);
        print_message("%s: at most %.2g of the loss\n", json_string_value(json_object_get(run, "name")),
                      worst);
    }
    json_decref(all);
}

static void test_learning_rate(void **state) {
    (void)state;
    assert_true(attn_learning_rate(2, 1, 4, 12, 0.05) == 0.5);
    assert_true(attn_learning_rate(2, 4, 4, 12, 0.05) == 2);
    assert_true(fabs(attn_learning_rate(2, 8, 4, 12, 0.05) - 1.05) < 1e-12);
    assert_true(fabs(attn_learning_rate(2, 12, 4, 12, 0.05) - 0.1) < 1e-12);
    assert_true(fabs(attn_learning_rate(2, 1000, 4, 12, 0.05) - 0.1) < 1e-12);
    assert_true(attn_learning_rate(2, 1, 0, 0, 0.05) == 2);
}

static attn_model *small_model(void) {
    return training_model("{model_type: conformer, d_model: 4, num_heads: 2, num_layers: 1, vocab_size: 3, "
                          "input_layer: none, input_dim: 4, attention_type: mla, attention_kwargs: "
                          "{latent_dim: 3}}",
                          false, false);
}

static void test_parameters(void **state) {
    (void)state;
    attn_model *model = small_model(), *mean;
    attn_parameters list, average;
    assert_int_equal(attn_model_like(&mean, model, NULL), 0);
    assert_int_equal(attn_parameters_list(&list, model, NULL), 0);
    assert_int_equal(attn_parameters_list(&average, mean, NULL), 0);
    size_t count = 0, decaying = 0;
    for (size_t i = 0; i < list.count; i++) {
        count += list.at[i].count;
        decaying += list.at[i].decays;
        assert_null(strstr(list.at[i].name, "running"));
        assert_true(list.at[i].decays ==
                    (strstr(list.at[i].name, "norm") == NULL && strstr(list.at[i].name, ".bias") == NULL));
    }
    assert_int_equal(count, attn_model_parameters(model));
    assert_true(decaying > 10);
    attn_parameters_average(&average, &list, 1);
    double norm = attn_parameters_norm(&list);
    assert_true(attn_parameters_norm(&average) == norm);
    assert_true(attn_parameters_clip(&list, 0) == norm && attn_parameters_clip(&list, norm * 2) == norm);
    assert_true(attn_parameters_norm(&list) == norm);
    assert_true(attn_parameters_clip(&list, norm / 2) == norm);
    assert_true(fabs(attn_parameters_norm(&list) - norm / 2) < 1e-6 * norm);
    attn_parameters_average(&average, &list, 2); /* of w and w / 2 */
    assert_true(fabs(attn_parameters_norm(&average) - 0.75 * norm) < 1e-6 * norm);
    attn_parameters_clear(&list);
    assert_true(attn_parameters_norm(&list) == 0);
    attn_parameters_free(&list);
    attn_parameters_free(&average);
    attn_model_free(model);
    attn_model_free(mean);
    assert_int_equal(attn_alloc_live(), 0);
}

/* Blank begins likely, the gate open; all else is as attn_model_randomize gives it. */
static void test_initialize(void **state) {
    (void)state;
    const char *text =
        "{model_type: branchformer, d_model: 4, num_heads: 2, num_layers: 2, vocab_size: 5, input_layer: "
        "none, input_dim: 4, attention_type: mha}";
    attn_model *made = training_model(text, false, false), *random = training_model(text, false, false);
    attn_model_initialize(made, 5);
    attn_model_randomize(random, 5);
    double blank = exp((double)made->ctc.bias[0]), others = 0;
    for (size_t i = 1; i < 5; i++)
        others += exp((double)made->ctc.bias[i]);
    assert_true(fabs(blank / (blank + others) - 0.8) < 1e-6);
    assert_memory_equal(made->ctc.weight, random->ctc.weight, 5 * 4 * sizeof(float));
    assert_memory_equal(made->blocks[1].merger.merge_proj.weight, random->blocks[1].merger.merge_proj.weight,
                        8 * 4 * sizeof(float));
    assert_true(made->blocks[1].cgmlp.conv.bias[0] == 1 &&
                fabsf(made->blocks[1].cgmlp.conv.weight[0]) < 1e-4f);
    attn_model_free(made);
    attn_model_free(random);
}

/* momentum 0.1, unbiased variance. */
static void test_statistics(void **state) {
    (void)state;
    attn_model *model = small_model(), *gradient;
    assert_int_equal(attn_model_like(&gradient, model, NULL), 0);
    attn_norm *norm = &model->blocks[0].convolution.norm;
    norm->mean[1] = 1;
    norm->variance[1] = 2;
    gradient->blocks[0].convolution.norm.mean[1] = 3;
    gradient->blocks[0].convolution.norm.variance[1] = 12;
    attn_train_update_statistics(model, gradient, 0.1);
    assert_true(fabsf(norm->mean[1] - 1.2f) < 1e-6f && fabsf(norm->variance[1] - 3) < 1e-6f);
    attn_model_free(model);
    attn_model_free(gradient);
}

static void test_spec_augment(void **state) {
    (void)state;
    enum { FRAMES = 40, WIDTH = 20 };
    float x[FRAMES * WIDTH], again[FRAMES * WIDTH], fill[WIDTH];
    attn_spec_augment options = {2, 5, 2, 10, 0.2};
    size_t most = 0, whole = 0, different = 0;
    for (size_t i = 0; i < WIDTH; i++)
        fill[i] = (float)i;
    for (uint64_t utterance = 0; utterance < 200; utterance++) {
        for (size_t i = 0; i < FRAMES * WIDTH; i++)
            x[i] = again[i] = 100;
        attn_spec_augment_apply(x, FRAMES, WIDTH, fill, &options, 1, 2, utterance);
        attn_spec_augment_apply(again, FRAMES, WIDTH, fill, &options, 1, 2, utterance);
        assert_memory_equal(x, again, sizeof x);
        attn_spec_augment_apply(again, FRAMES, WIDTH, fill, &options, 1, 3, utterance);
        different += memcmp(x, again, sizeof x) != 0;
        size_t rows = 0, columns = 0;
        for (size_t t = 0; t < FRAMES; t++) {
            size_t masked = 0;
            for (size_t i = 0; i < WIDTH; i++) {
                assert_true(x[t * WIDTH + i] == 100 || x[t * WIDTH + i] == (float)i);
                masked += x[t * WIDTH + i] != 100;
            }
            rows += masked == WIDTH;
        }
        for (size_t i = 0; i < WIDTH; i++) {
            size_t masked = 0;
            for (size_t t = 0; t < FRAMES; t++)
                masked += x[t * WIDTH + i] != 100;
            columns += masked == FRAMES;
        }
        assert_in_range(rows, 0, 16); /* two masks of at most a fifth of 40 frames */
        assert_in_range(columns, 0, 10);
        most = rows > most ? rows : most;
        whole = columns > whole ? columns : whole;
    }
    assert_in_range(most, 10, 16);
    assert_in_range(whole, 7, 10);
    assert_in_range(different, 150, 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fifty_steps),  cmocka_unit_test(test_learning_rate),
        cmocka_unit_test(test_parameters),   cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_spec_augment), cmocka_unit_test(test_initialize)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
