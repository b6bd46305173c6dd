/* Converting one layer to MLA: exact where it can be, at the bound where not. Bounds come from spectra that the
 * tests made themselves, or from Jacobi's rotations; nothing here asks LAPACK. */
#include "attn/convert.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/models/distance.h"
#include "tests/support/models/layers.h"
#include "tests/support/spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"flat", "decaying", "deficient", "ill-conditioned"};
static const attn_pos_enc positions[] = {ATTN_POS_NONE, ATTN_POS_REL, ATTN_POS_REL_WENET};

/* At latent_dim = d_model the layer computes what it did, for all weights, few inputs and many. */
static void full_rank_is_exact(void **state) {
    (void)state;
    static const attn_convert_method methods[] = {ATTN_CONVERT_JOINT, ATTN_CONVERT_ACTIVATION};
    static const char *const types[] = {"mla_simple", "mla"};
    double directions[D * D], sigma[D];
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *x = layers_inputs(FRAMES, 0.7, 0.5, directions), *test = layers_inputs(50, 1.0, 0.0, directions);
    float wanted[50 * D], got[50 * D];
    for (size_t k = 0; k < 4; k++)
        for (size_t p = 0; p < 3; p++) {
            attn_layer mha = layers_new(positions[p]);
            layers_spectrum(sigma, kinds[k]);
            layers_set_spectrum(&mha, sigma);
            layers_run(wanted, &mha, "mha", test, 50);
            for (size_t m = 0; m < 8; m++) {
                size_t frames = m & 4 ? 5 : FRAMES;
                attn_layer made = layers_convert(&mha, types[m & 1], methods[m >> 1 & 1], D, x, frames, NULL);
                layers_run(got, &made, types[m & 1], test, 50);
                if (!(distance(got, wanted, 50 * D) <= 2e-6))
                    fail_msg("%s weights, %s, %s, %zu inputs: %g", kinds[k], types[m & 1],
                             attn_convert_method_names[methods[m >> 1 & 1]], frames,
                             distance(got, wanted, 50 * D));
                attn_layer_free(&made);
            }
            attn_layer average = layers_convert(&mha, "mla_simple", ATTN_CONVERT_AVERAGE, D, NULL, 0, NULL);
            layers_run(got, &average, "mla_simple", test, 50);
            assert_true(distance(got, wanted, 50 * D) > 1e-3);
            attn_layer_free(&average);
            attn_layer_free(&mha);
        }
    free(x);
    free(test);
}

/* Exact from the rank of the weights on. */
static void rank_of_the_weights_is_enough(void **state) {
    (void)state;
    double sigma[D];
    attn_layer mha = layers_new(ATTN_POS_NONE);
    attn_convert_report report;
    layers_spectrum(sigma, "deficient");
    layers_set_spectrum(&mha, sigma);
    attn_layer made = layers_convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 11, NULL, 0, &report);
    assert_int_equal(report.weights_rank, 11);
    assert_true(report.weights_error < 1e-6);
    attn_layer_free(&made);
    made = layers_convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 10, NULL, 0, &report);
    assert_true(report.weights_error > 0.01);
    attn_layer_free(&made);
    attn_layer_free(&mha);
}

/* |W - E C| by plain loops over the tensors. */
static double weights_distance(const attn_layer *mha, const attn_layer *made) {
    double sum = 0.0;
    for (size_t half = 0; half < 2; half++) {
        const float *w = (half ? &mha->v_proj : &mha->k_proj)->weight;
        const float *expand = (half ? &made->v_expand : &made->k_expand)->weight;
        for (size_t row = 0; row < D; row++)
            for (size_t i = 0; i < D; i++) {
                double value = (double)w[row * D + i];
                for (size_t r = 0; r < made->geometry.latent_dim; r++)
                    value -= (double)expand[row * made->geometry.latent_dim + r] *
                             (double)made->kv_compress.weight[r * D + i];
                sum += value * value;
            }
    }
    return sqrt(sum);
}

static void joint_reaches_eckart_young(void **state) {
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        double sigma[D];
        attn_layer mha = layers_new(ATTN_POS_NONE);
        layers_spectrum(sigma, kinds[k]);
        layers_set_spectrum(&mha, sigma);
        for (size_t rank = 1; rank < D; rank += 3) {
            attn_convert_report report;
            attn_layer made = layers_convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, rank, NULL, 0, &report);
            double bound = spectra_tail(sigma, D, rank), all = spectra_tail(sigma, D, 0);
            if (bound > 1e-2 * all) {
                assert_true(fabs(weights_distance(&mha, &made) / bound - 1.0) <= 1e-4);
                assert_true(fabs(report.weights_error / (bound / all) - 1.0) <= 1e-4);
                assert_true(fabs(report.weights_bound / (bound / all) - 1.0) <= 1e-4);
            }
            attn_layer_free(&made);
            made = layers_convert(&mha, "mla_simple", ATTN_CONVERT_AVERAGE, rank, NULL, 0, NULL);
            assert_true(weights_distance(&mha, &made) > bound);
            attn_layer_free(&made);
        }
        attn_layer_free(&mha);
    }
}

static void activation_reaches_its_bound(void **state) {
    (void)state;
    double directions[D * D];
    for (size_t draw = 0; draw < 6; draw++) {
        double decay = draw & 1 ? 0.8 : 0.92, mean = draw & 2 ? 2.0 : 0.0;
        attn_layer mha = layers_new(ATTN_POS_NONE);
        spectra_orthonormal(directions, D, D, &layers_seed);
        float *x = layers_inputs(FRAMES, decay, mean, directions);
        float *held_out = layers_inputs(FRAMES, decay, mean, directions);
        for (size_t rank = 2; rank < D; rank += 7) {
            attn_convert_report report;
            attn_layer made =
                layers_convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, rank, x, FRAMES, &report);
            attn_layer joint = layers_convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, rank, NULL, 0, NULL);
            double bound = layers_produced_bound(&mha, x, FRAMES, rank);
            double error = layers_produced_error(&mha, &made, x, FRAMES);
            if (!(fabs(error / bound - 1.0) <= 1e-4))
                fail_msg("rank %zu: %g, bound %g", rank, error, bound);
            assert_true(fabs(report.produced_error / report.produced_bound - 1.0) <= 1e-4);
            assert_true(layers_produced_error(&mha, &made, held_out, FRAMES) <=
                        layers_produced_error(&mha, &joint, held_out, FRAMES));
            attn_layer_free(&made);
            attn_layer_free(&joint);
        }
        free(x);
        free(held_out);
        attn_layer_free(&mha);
    }
}

/* The report of any conversion is what plain loops find. */
static void reports_are_true(void **state) {
    (void)state;
    double directions[D * D], *y = calloc(FRAMES * 2 * D, sizeof *y), all = 0.0;
    attn_layer mha = layers_new(ATTN_POS_NONE);
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *x = layers_inputs(FRAMES, 0.9, 0.3, directions);
    layers_produce(y, &mha, x, FRAMES);
    for (size_t i = 0; i < FRAMES * 2 * D; i++)
        all += y[i] * y[i];
    for (attn_convert_method method = ATTN_CONVERT_AVERAGE; method <= ATTN_CONVERT_ACTIVATION; method++) {
        attn_convert_report report;
        attn_layer made = layers_convert(&mha, "mla_simple", method, 12, x, FRAMES, &report);
        assert_int_equal(report.latent_dim, 12);
        assert_int_equal(report.weights_rank, D);
        assert_int_equal(report.frames, FRAMES);
        assert_true(fabs(layers_produced_error(&mha, &made, x, FRAMES) / sqrt(all) / report.produced_error -
                         1.0) < 1e-5);
        assert_true(fabs(layers_produced_bound(&mha, x, FRAMES, 12) / sqrt(all) / report.produced_bound -
                         1.0) < 1e-5);
        attn_layer_free(&made);
    }
    free(y);
    free(x);
    attn_layer_free(&mha);
}

/* Fewer inputs than d_model, inputs that are all the same, and a single one: never worse than half as much
 * again as joint on inputs that have no preferred direction, and far better than joint where they have. */
static void few_inputs_do_no_harm(void **state) {
    (void)state;
    static const size_t counts[] = {1, 2, 5, 16, 31, 32, 33};
    double directions[D * D];
    attn_layer mha = layers_new(ATTN_POS_NONE);
    spectra_orthonormal(directions, D, D, &layers_seed);
    float *white = layers_inputs(FRAMES, 1.0, 0.0, directions), *same = calloc(20 * D, sizeof *same);
    float *narrow = layers_inputs(FRAMES, 0.7, 0.0, directions);
    for (size_t t = 0; t < 20; t++)
        memcpy(same + t * D, white, D * sizeof *same);
    attn_layer joint = layers_convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 12, NULL, 0, NULL);
    double flat = layers_produced_error(&mha, &joint, white, FRAMES),
           steep = layers_produced_error(&mha, &joint, narrow, FRAMES);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        attn_layer made =
            layers_convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, 12, white, counts[i], NULL);
        assert_true(layers_produced_error(&mha, &made, white + 40 * D, FRAMES - 40) <= 1.5 * flat);
        attn_layer_free(&made);
        made = layers_convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, 12, narrow, counts[i], NULL);
        if (counts[i] >= 16)
            assert_true(layers_produced_error(&mha, &made, narrow, FRAMES) <= 0.3 * steep);
        attn_layer_free(&made);
    }
    attn_layer made = layers_convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, 12, same, 20, NULL);
    assert_true(layers_produced_error(&mha, &made, white, FRAMES) <= 1.01 * flat);
    attn_layer_free(&made);
    attn_layer_free(&joint);
    attn_layer_free(&mha);
    free(white);
    free(same);
    free(narrow);
}

/* Balanced, values are not given up for keys that are a thousand times as large. */
static void balance_keeps_the_small_half(void **state) {
    (void)state;
    attn_layer mha = layers_new(ATTN_POS_NONE);
    for (size_t i = 0; i < D * D; i++)
        mha.k_proj.weight[i] *= 1000.0f;
    double lost[2];
    for (size_t balance = 0; balance < 2; balance++) {
        attn_convert_target target = {.variant = attn_variant_find("mla_simple"),
                                      .method = ATTN_CONVERT_JOINT,
                                      .latent_dim = 16,
                                      .balance = balance};
        attn_layer made;
        attn_error error = {0};
        assert_int_equal(attn_convert_layer(&made, NULL, &mha, &target, NULL, &error), 0);
        float values[D * D];
        for (size_t i = 0; i < D * D; i++) {
            values[i] = 0.0f;
            for (size_t r = 0; r < 16; r++)
                values[i] += made.v_expand.weight[i / D * 16 + r] * made.kv_compress.weight[r * D + i % D];
        }
        lost[balance] = distance(values, mha.v_proj.weight, D * D);
        attn_layer_free(&made);
    }
    assert_true(lost[1] < 0.8 * lost[0]);
    attn_layer_free(&mha);
}

/* Query and output projections and positions are the same bits; biases are the expansions'. */
static void the_rest_stays(void **state) {
    (void)state;
    attn_layer mha = layers_new(ATTN_POS_REL);
    attn_layer made = layers_convert(&mha, "mla", ATTN_CONVERT_JOINT, 12, NULL, 0, NULL);
    assert_memory_equal(made.q_proj.weight, mha.q_proj.weight, D * D * sizeof(float));
    assert_memory_equal(made.q_proj.bias, mha.q_proj.bias, D * sizeof(float));
    assert_memory_equal(made.out_proj.weight, mha.out_proj.weight, D * D * sizeof(float));
    assert_memory_equal(made.out_proj.bias, mha.out_proj.bias, D * sizeof(float));
    assert_memory_equal(made.linear_pos.weight, mha.linear_pos.weight, D * D * sizeof(float));
    assert_memory_equal(made.pos_bias_u, mha.pos_bias_u, D * sizeof(float));
    assert_memory_equal(made.pos_bias_v, mha.pos_bias_v, D * sizeof(float));
    assert_memory_equal(made.k_expand_a.bias, mha.k_proj.bias, D * sizeof(float));
    assert_memory_equal(made.v_expand_a.bias, mha.v_proj.bias, D * sizeof(float));
    attn_layer simple = layers_convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 12, NULL, 0, NULL);
    assert_memory_equal(made.k_expand_a.weight, simple.k_expand.weight, D * 12 * sizeof(float));
    assert_memory_equal(made.v_expand_a.weight, simple.v_expand.weight, D * 12 * sizeof(float));
    for (size_t i = 0; i < D * D_K; i++) {
        assert_true(made.k_expand_b.weight[i] == (i / D_K % D_K == i % D_K ? 1.0f : 0.0f));
        assert_true(made.v_expand_b.weight[i] == made.k_expand_b.weight[i]);
    }
    for (size_t i = 0; i < D; i++)
        assert_true(made.k_expand_b.bias[i] == 0.0f && made.v_expand_b.bias[i] == 0.0f);
    attn_layer_free(&simple);
    attn_layer_free(&made);
    attn_layer_free(&mha);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_rank_is_exact),
        cmocka_unit_test(rank_of_the_weights_is_enough),
        cmocka_unit_test(joint_reaches_eckart_young),
        cmocka_unit_test(activation_reaches_its_bound),
        cmocka_unit_test(reports_are_true),
        cmocka_unit_test(few_inputs_do_no_harm),
        cmocka_unit_test(balance_keeps_the_small_half),
        cmocka_unit_test(the_rest_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
