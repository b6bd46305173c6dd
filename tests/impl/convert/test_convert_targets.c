/* Converting one layer to fewer key/value heads and back, families of ranks, and what is refused. */
#include "attn/convert.h"
#include "attn/random.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/distance.h"
#include "tests/support/models/layers.h"
#include "tests/support/refusals.h"
#include "tests/support/spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const attn_pos_enc positions[] = {ATTN_POS_NONE, ATTN_POS_REL, ATTN_POS_REL_WENET};

static void gqa_takes_the_mean(void **state) {
    (void)state;
    attn_layer mha = layers_new(ATTN_POS_NONE);
    attn_layer made = layers_convert(&mha, "gqa", ATTN_CONVERT_MEAN, 2, NULL, 0, NULL);
    for (size_t row = 0; row < 2 * D_K; row++)
        for (size_t i = 0; i < D; i++) {
            size_t first = row / D_K * 2 * D_K + row % D_K;
            double mean = 0.5 * ((double)mha.k_proj.weight[first * D + i] +
                                 (double)mha.k_proj.weight[(first + D_K) * D + i]);
            assert_true(fabs((double)made.k_proj.weight[row * D + i] - mean) < 1e-7);
        }
    assert_memory_equal(made.q_proj.weight, mha.q_proj.weight, D * D * sizeof(float));
    attn_layer_free(&made);
    attn_layer_free(&mha);
}

/* Heads 0 and 3 are the same, and 1 and 2: grouping finds that and is exact, under every position encoding. */
static void gqa_groups_heads_that_agree(void **state) {
    (void)state;
    double directions[D * D];
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *x = layers_inputs(FRAMES, 0.9, 0.3, directions), wanted[50 * D], got[50 * D];
    for (size_t p = 0; p < 3; p++) {
        attn_layer mha = layers_new(positions[p]);
        attn_linear *both[] = {&mha.k_proj, &mha.v_proj};
        for (size_t k = 0; k < 2; k++)
            for (size_t pair = 0; pair < 2; pair++) {
                memcpy(both[k]->weight + (3 - pair) * D_K * D, both[k]->weight + pair * D_K * D,
                       D_K * D * sizeof(float));
                memcpy(both[k]->bias + (3 - pair) * D_K, both[k]->bias + pair * D_K, D_K * sizeof(float));
            }
        layers_run(wanted, &mha, "mha", x, 50);
        attn_convert_report report;
        attn_layer made = layers_convert(&mha, "gqa", ATTN_CONVERT_ACTIVATION, 2, x, FRAMES, &report);
        layers_run(got, &made, "gqa", x, 50);
        assert_true(distance(got, wanted, 50 * D) < 1e-5);
        assert_true(report.produced_error < 1e-6 && report.weights_error < 1e-6);
        attn_layer_free(&made);
        made = layers_convert(&mha, "gqa", ATTN_CONVERT_MEAN, 2, x, FRAMES, &report);
        layers_run(got, &made, "gqa", x, 50);
        assert_true(distance(got, wanted, 50 * D) > 0.01);
        assert_true(report.produced_error > 0.1);
        attn_layer_free(&made);
        attn_layer_free(&mha);
    }
    free(x);
}

/* On any layer, grouping by activations is at least as near as pooling neighbours. */
static void gqa_grouping_never_loses(void **state) {
    (void)state;
    double directions[D * D];
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *x = layers_inputs(FRAMES, 0.8, 0.0, directions);
    for (size_t draw = 0; draw < 20; draw++) {
        attn_convert_report mean, grouped;
        attn_layer mha = layers_new(ATTN_POS_NONE);
        memset(mha.k_proj.bias, 0, D * sizeof(float)); /* the mean of keys is nothing to the grouping */
        attn_layer made = layers_convert(&mha, "gqa", ATTN_CONVERT_MEAN, 2, x, FRAMES, &mean);
        attn_layer_free(&made);
        made = layers_convert(&mha, "gqa", ATTN_CONVERT_ACTIVATION, 2, x, FRAMES, &grouped);
        assert_true(grouped.produced_error <= mean.produced_error * 1.02);
        attn_layer_free(&made);
        attn_layer_free(&mha);
    }
    free(x);
}

/* A folded layer is mha again and computes the same. */
static void folding_goes_back(void **state) {
    (void)state;
    static const struct {
        const char *type;
        attn_convert_method method;
        size_t size;
    } cases[] = {{"mla_simple", ATTN_CONVERT_ACTIVATION, 9},
                 {"mla", ATTN_CONVERT_JOINT, 9},
                 {"gqa", ATTN_CONVERT_ACTIVATION, 2},
                 {"gqa", ATTN_CONVERT_MEAN, 1}};
    double directions[D * D];
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *x = layers_inputs(FRAMES, 0.9, 0.3, directions), wanted[50 * D], got[50 * D];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        attn_layer mha = layers_new(ATTN_POS_REL), folded = {0};
        attn_layer made =
            layers_convert(&mha, cases[i].type, cases[i].method, cases[i].size, x, FRAMES, NULL);
        attn_error error = {0};
        if (made.k_expand_b.weight) /* a second stage that is not the identity any more */
            attn_random_uniform(made.k_expand_b.weight, D * D_K, 0.3f, &layers_seed);
        assert_int_equal(attn_fold_layer(&folded, &made, attn_variant_find(cases[i].type), &error), 0);
        layers_run(wanted, &made, cases[i].type, x, 50);
        layers_run(got, &folded, "mha", x, 50);
        assert_true(distance(got, wanted, 50 * D) < 2e-6);
        attn_layer_free(&folded);
        attn_layer_free(&made);
        attn_layer_free(&mha);
    }
    free(x);
}

/* One factorisation cut down to a rank is the conversion to that rank. */
static void families_are_their_members(void **state) {
    (void)state;
    double directions[D * D];
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *x = layers_inputs(FRAMES, 0.9, 1.0, directions), wanted[50 * D], got[50 * D];
    attn_layer mha = layers_new(ATTN_POS_NONE), copy = {0};
    for (attn_convert_method method = ATTN_CONVERT_AVERAGE; method <= ATTN_CONVERT_ACTIVATION; method++) {
        attn_convert_target target = {.variant = attn_variant_find("mla_simple"), .method = method};
        attn_layer_inputs inputs = {x, FRAMES};
        attn_family *family;
        attn_error error = {0};
        assert_int_equal(attn_family_make(&family, &mha, &target, &inputs, &error), 0);
        for (size_t rank = 2; rank <= D; rank += 5) {
            attn_layer made = layers_convert(&mha, "mla_simple", method, rank, x, FRAMES, NULL);
            assert_int_equal(attn_fold_layer(&copy, &mha, attn_variant_find("mha"), &error), 0);
            assert_int_equal(attn_family_fold(&copy, family, rank, &error), 0);
            layers_run(wanted, &made, "mla_simple", x, 50);
            layers_run(got, &copy, "mha", x, 50);
            assert_true(distance(got, wanted, 50 * D) < 2e-6);
            attn_layer_free(&made);
        }
        assert_int_equal(attn_family_fold(&copy, family, D + 1, &error), -1);
        attn_family_free(family);
    }
    attn_layer_free(&copy);
    attn_layer_free(&mha);
    free(x);
}

/* Every way to spread a few dimensions over three layers, tried. */
static void spreading_is_optimal(void **state) {
    (void)state;
    double left[3][7];
    attn_error_curve curves[3];
    for (size_t draw = 0; draw < 50; draw++) {
        for (size_t l = 0; l < 3; l++) {
            double sigma[6], all = 0.0;
            double decay = 0.2 + 0.25 * (double)attn_random_below(&layers_seed, 4);
            for (size_t i = 0; i < 6; i++)
                all += sigma[i] = pow(decay, (double)i);
            left[l][0] = 1.0;
            for (size_t i = 0; i < 6; i++)
                left[l][i + 1] = i == 5 ? 0.0 : left[l][i] - sigma[i] / all;
            curves[l] = (attn_error_curve){left[l], 6, 1};
        }
        size_t total = 3 + attn_random_below(&layers_seed, 16), ranks[3];
        attn_error error = {0};
        assert_int_equal(attn_spread_ranks(ranks, curves, 3, total, &error), 0);
        assert_true(ranks[0] + ranks[1] + ranks[2] == total);
        double best = INFINITY;
        for (size_t a = 1; a <= 6; a++)
            for (size_t b = 1; b <= 6; b++)
                for (size_t c = 1; c <= 6; c++)
                    if (a + b + c <= total)
                        best = fmin(best, attn_spread_error((size_t[]){a, b, c}, curves, 3));
        assert_true(attn_spread_error(ranks, curves, 3) <= best + 1e-12);
        size_t fewer[3];
        assert_int_equal(attn_spread_for_error(fewer, curves, 3, best + 1e-9, &error), 0);
        assert_true(fewer[0] + fewer[1] + fewer[2] <= total);
        assert_true(attn_spread_error(fewer, curves, 3) <= best + 1e-9);
    }
    attn_error error = {0};
    size_t ranks[3];
    assert_int_equal(attn_spread_ranks(ranks, curves, 3, 2, &error), -1);
    assert_non_null(strstr(error.message, "2 latent dimensions are too few"));
}

static void wrong_targets_are_named(void **state) {
    (void)state;
    static const struct {
        const char *type;
        attn_convert_method method;
        size_t size;
        const char *says;
    } cases[] = {{"mla", ATTN_CONVERT_JOINT, 0, "latent_dim: found 0, expected 1 to 32"},
                 {"mla_simple", ATTN_CONVERT_JOINT, D + 1, "latent_dim: found 33"},
                 {"mla_simple", ATTN_CONVERT_SPLIT, 1, "latent_dim: found 1, expected 2 to 32"},
                 {"mla_simple", ATTN_CONVERT_MEAN, 4, "method: found mean"},
                 {"mla_simple", ATTN_CONVERT_ACTIVATION, 4, "method activation: needs inputs"},
                 {"gqa", ATTN_CONVERT_ACTIVATION, 2, "method activation: needs inputs"},
                 {"gqa", ATTN_CONVERT_JOINT, 2, "method: found joint"},
                 {"gqa", ATTN_CONVERT_MEAN, 3, "num_kv_heads: found 3, expected a divisor of num_heads 4"},
                 {"gqa", ATTN_CONVERT_MEAN, 0, "num_kv_heads: found 0"},
                 {"linear", ATTN_CONVERT_JOINT, 4, "to: found linear"}};
    attn_layer mha = layers_new(ATTN_POS_NONE), made;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        attn_convert_target target = {attn_variant_find(cases[i].type), cases[i].method, cases[i].size,
                                      cases[i].size, false};
        attn_error error = {0};
        assert_int_equal(attn_convert_layer(&made, NULL, &mha, &target, NULL, &error), -1);
        if (!strstr(error.message, cases[i].says))
            fail_msg("'%s' does not say '%s'", error.message, cases[i].says);
    }
    attn_layer_free(&mha);
}

static void not_finite_inputs_are_refused(void **state) {
    (void)state;
    attn_layer mha = layers_new(ATTN_POS_NONE), made;
    float x[4 * D] = {0};
    x[D + 3] = NAN;
    attn_convert_target target = {attn_variant_find("mla"), ATTN_CONVERT_ACTIVATION, 4, 0, false};
    attn_layer_inputs inputs = {x, 4};
    attn_error error = {0};
    assert_int_equal(attn_convert_layer(&made, NULL, &mha, &target, &inputs, &error), -1);
    assert_non_null(strstr(error.message, "dimension 3 is not finite"));
    attn_layer_free(&mha);
}

typedef struct conversion_call {
    const attn_layer *from;
    const attn_convert_target *target;
    const attn_layer_inputs *inputs;
} conversion_call;

static int convert_once(void *context, attn_error *error) {
    const conversion_call *call = context;
    attn_layer made;
    attn_convert_report report;
    int result = attn_convert_layer(&made, &report, call->from, call->target, call->inputs, error);
    if (!result)
        attn_layer_free(&made);
    return result;
}

static void refused_memory_is_survived(void **state) {
    (void)state;
    static const attn_convert_method methods[] = {ATTN_CONVERT_AVERAGE, ATTN_CONVERT_SPLIT,
                                                  ATTN_CONVERT_JOINT, ATTN_CONVERT_ACTIVATION};
    double directions[D * D];
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *x = layers_inputs(8, 0.9, 0.3, directions);
    attn_layer mha = layers_new(ATTN_POS_NONE);
    for (size_t m = 0; m < 5; m++) {
        attn_convert_target target = {attn_variant_find(m < 4 ? "mla" : "gqa"),
                                      m < 4 ? methods[m] : ATTN_CONVERT_ACTIVATION, 6, 2, true};
        attn_layer_inputs inputs = {x, 8};
        conversion_call call = {&mha, &target, &inputs};
        assert_true(refuse_each_allocation(convert_once, &call) >= 15);
    }
    free(x);
    attn_layer_free(&mha);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gqa_takes_the_mean),         cmocka_unit_test(gqa_groups_heads_that_agree),
        cmocka_unit_test(gqa_grouping_never_loses),   cmocka_unit_test(folding_goes_back),
        cmocka_unit_test(families_are_their_members), cmocka_unit_test(spreading_is_optimal),
        cmocka_unit_test(wrong_targets_are_named),    cmocka_unit_test(not_finite_inputs_are_refused),
        cmocka_unit_test(refused_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
