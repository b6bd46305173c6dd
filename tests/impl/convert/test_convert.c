/* Converting one layer: exact where it can be, at the bound where not. Bounds come from spectra that the
 * tests made themselves, or from Jacobi's rotations; nothing here asks LAPACK. */
#include "attn/alloc.h"
#include "attn/convert.h"
#include "attn/random.h"
#include "tests/support/spectra.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/refusals.h"

enum { D = 32, HEADS = 4, D_K = D / HEADS, FRAMES = 300 };

static uint64_t seed = 7;

static attn_layer new_layer(attn_pos_enc pos_enc) {
    attn_geometry g = {.d_model = D, .num_heads = HEADS, .pos_enc = pos_enc};
    attn_layer layer = {0};
    attn_error error = {0};
    assert_int_equal(attn_layer_create(&layer, attn_variant_find("mha"), &g, seed++, &error), 0);
    return layer;
}

/* Keys and values get stacked weights of that spectrum. */
static void set_spectrum(attn_layer *layer, const double *sigma) {
    float stacked[2 * D * D];
    spectra_matrix(stacked, 2 * D, D, sigma, &seed);
    memcpy(layer->k_proj.weight, stacked, sizeof stacked / 2);
    memcpy(layer->v_proj.weight, stacked + D * D, sizeof stacked / 2);
}

/* Correlated inputs: direction r has the standard deviation decay^r, around a mean of that size. */
static float *new_inputs(size_t frames, double decay, double mean, const double *directions) {
    float *x = calloc(frames * D, sizeof *x);
    for (size_t t = 0; t < frames; t++)
        for (size_t r = 0; r < D; r++) {
            double along = pow(decay, (double)r) * (spectra_normal(&seed) + mean);
            for (size_t i = 0; i < D; i++)
                x[t * D + i] += (float)(along * directions[i * D + r]);
        }
    return x;
}

/* out [frames, D] = the layer over x in one call. */
static void run(float *out, const attn_layer *layer, const char *type, const float *x, size_t frames) {
    const attn_variant *variant = attn_variant_find(type);
    const attn_impl *impl = attn_impl_find(variant, "auto");
    attn_error error = {0};
    attn_cache cache;
    assert_int_equal(attn_cache_init(&cache, variant, &layer->geometry, 1, frames, ATTN_ELEMENT_F32, &error),
                     0);
    attn_sinusoids sinusoids;
    assert_int_equal(attn_sinusoids_init(&sinusoids, frames, D, &error), 0);
    attn_call call = {.x = x, .batch = 1, .frames = frames, .sinusoids = &sinusoids};
    void *workspace =
        aligned_alloc(64, impl->workspace(&layer->geometry, 1, frames, frames, ATTN_PATH_AUTO, 1));
    impl->forward(out, layer, &cache, &call, workspace);
    free(workspace);
    attn_sinusoids_free(&sinusoids);
    attn_cache_free(&cache);
}

/* |a - b| / |b|. */
static double distance(const float *a, const float *b, size_t n) {
    double sum = 0.0, all = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        all += (double)b[i] * (double)b[i];
    }
    return sqrt(sum / all);
}

/* Keys and values [frames, 2 D] that a layer makes of x: from its tensors, by plain loops. */
static void produce(double *y, const attn_layer *layer, const float *x, size_t frames) {
    bool latent = layer->kv_compress.weight != NULL;
    size_t rank = layer->geometry.latent_dim;
    for (size_t t = 0; t < frames; t++)
        for (size_t half = 0; half < 2; half++) {
            const attn_linear *w = latent ? (half ? &layer->v_expand : &layer->k_expand)
                                          : (half ? &layer->v_proj : &layer->k_proj);
            double in[D];
            for (size_t r = 0; r < (latent ? rank : D); r++) {
                in[r] = latent ? (double)layer->kv_compress.bias[r] : (double)x[t * D + r];
                for (size_t i = 0; latent && i < D; i++)
                    in[r] += (double)layer->kv_compress.weight[r * D + i] * (double)x[t * D + i];
            }
            for (size_t row = 0; row < D; row++) {
                double sum = (double)w->bias[row];
                for (size_t r = 0; r < w->in; r++)
                    sum += (double)w->weight[row * w->in + r] * in[r];
                y[t * 2 * D + half * D + row] = sum;
            }
        }
}

static double produced_error(const attn_layer *mha, const attn_layer *other, const float *x, size_t frames) {
    double *a = calloc(frames * 2 * D, sizeof *a), *b = calloc(frames * 2 * D, sizeof *b), sum = 0.0;
    produce(a, mha, x, frames);
    produce(b, other, x, frames);
    for (size_t i = 0; i < frames * 2 * D; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    free(a);
    free(b);
    return sqrt(sum);
}

/* What any affine map of that rank must lose of what the layer makes of x: from the eigenvalues of the
 * covariance of what it makes. */
static double produced_bound(const attn_layer *mha, const float *x, size_t frames, size_t rank) {
    enum { WIDE = 2 * D };
    double *y = calloc(frames * WIDE, sizeof *y), *gram = calloc(WIDE * WIDE, sizeof *gram);
    double values[WIDE], sum = 0.0;
    produce(y, mha, x, frames);
    for (size_t i = 0; i < WIDE; i++) {
        double mean = 0.0;
        for (size_t t = 0; t < frames; t++)
            mean += y[t * WIDE + i] / (double)frames;
        for (size_t t = 0; t < frames; t++)
            y[t * WIDE + i] -= mean;
    }
    for (size_t i = 0; i < WIDE; i++)
        for (size_t j = 0; j < WIDE; j++)
            for (size_t t = 0; t < frames; t++)
                gram[i * WIDE + j] += y[t * WIDE + i] * y[t * WIDE + j];
    spectra_eigenvalues(values, gram, WIDE);
    for (size_t i = rank; i < WIDE; i++)
        sum += values[i];
    free(y);
    free(gram);
    return sqrt(sum);
}

static attn_layer convert(const attn_layer *mha, const char *type, attn_convert_method method, size_t rank,
                          const float *x, size_t frames, attn_convert_report *report) {
    attn_convert_target target = {
        .variant = attn_variant_find(type), .method = method, .latent_dim = rank, .num_kv_heads = rank};
    attn_layer_inputs inputs = {x, frames};
    attn_layer made;
    attn_error error = {0};
    if (attn_convert_layer(&made, report, mha, &target, x ? &inputs : NULL, &error))
        fail_msg("%s", error.message);
    return made;
}

static void spectrum_of(double *sigma, const char *kind) {
    for (size_t r = 0; r < D; r++)
        sigma[r] = !strcmp(kind, "flat")        ? 1.0
                   : !strcmp(kind, "decaying")  ? pow(0.8, (double)r)
                   : !strcmp(kind, "deficient") ? (r < 11 ? 11.0 - (double)r : 0.0)
                                                : pow(10.0, -12.0 * (double)r / (D - 1)); /* ill */
}

static const char *const kinds[] = {"flat", "decaying", "deficient", "ill-conditioned"};
static const attn_pos_enc positions[] = {ATTN_POS_NONE, ATTN_POS_REL, ATTN_POS_REL_WENET};

/* At latent_dim = d_model the layer computes what it did, for all weights, few inputs and many. */
static void full_rank_is_exact(void **state) {
    (void)state;
    static const attn_convert_method methods[] = {ATTN_CONVERT_JOINT, ATTN_CONVERT_ACTIVATION};
    static const char *const types[] = {"mla_simple", "mla"};
    double directions[D * D], sigma[D];
    spectra_orthonormal(directions, D, D, &seed);
    float *x = new_inputs(FRAMES, 0.7, 0.5, directions), *test = new_inputs(50, 1.0, 0.0, directions);
    float wanted[50 * D], got[50 * D];
    for (size_t k = 0; k < 4; k++)
        for (size_t p = 0; p < 3; p++) {
            attn_layer mha = new_layer(positions[p]);
            spectrum_of(sigma, kinds[k]);
            set_spectrum(&mha, sigma);
            run(wanted, &mha, "mha", test, 50);
            for (size_t m = 0; m < 8; m++) {
                size_t frames = m & 4 ? 5 : FRAMES;
                attn_layer made = convert(&mha, types[m & 1], methods[m >> 1 & 1], D, x, frames, NULL);
                run(got, &made, types[m & 1], test, 50);
                if (!(distance(got, wanted, 50 * D) <= 2e-6))
                    fail_msg("%s weights, %s, %s, %zu inputs: %g", kinds[k], types[m & 1],
                             attn_convert_method_names[methods[m >> 1 & 1]], frames,
                             distance(got, wanted, 50 * D));
                attn_layer_free(&made);
            }
            attn_layer average = convert(&mha, "mla_simple", ATTN_CONVERT_AVERAGE, D, NULL, 0, NULL);
            run(got, &average, "mla_simple", test, 50);
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
    attn_layer mha = new_layer(ATTN_POS_NONE);
    attn_convert_report report;
    spectrum_of(sigma, "deficient");
    set_spectrum(&mha, sigma);
    attn_layer made = convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 11, NULL, 0, &report);
    assert_int_equal(report.weights_rank, 11);
    assert_true(report.weights_error < 1e-6);
    attn_layer_free(&made);
    made = convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 10, NULL, 0, &report);
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
        attn_layer mha = new_layer(ATTN_POS_NONE);
        spectrum_of(sigma, kinds[k]);
        set_spectrum(&mha, sigma);
        for (size_t rank = 1; rank < D; rank += 3) {
            attn_convert_report report;
            attn_layer made = convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, rank, NULL, 0, &report);
            double bound = spectra_tail(sigma, D, rank), all = spectra_tail(sigma, D, 0);
            if (bound > 1e-2 * all) {
                assert_true(fabs(weights_distance(&mha, &made) / bound - 1.0) <= 1e-4);
                assert_true(fabs(report.weights_error / (bound / all) - 1.0) <= 1e-4);
                assert_true(fabs(report.weights_bound / (bound / all) - 1.0) <= 1e-4);
            }
            attn_layer_free(&made);
            made = convert(&mha, "mla_simple", ATTN_CONVERT_AVERAGE, rank, NULL, 0, NULL);
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
        attn_layer mha = new_layer(ATTN_POS_NONE);
        spectra_orthonormal(directions, D, D, &seed);
        float *x = new_inputs(FRAMES, decay, mean, directions);
        float *held_out = new_inputs(FRAMES, decay, mean, directions);
        for (size_t rank = 2; rank < D; rank += 7) {
            attn_convert_report report;
            attn_layer made = convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, rank, x, FRAMES, &report);
            attn_layer joint = convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, rank, NULL, 0, NULL);
            double bound = produced_bound(&mha, x, FRAMES, rank);
            double error = produced_error(&mha, &made, x, FRAMES);
            if (!(fabs(error / bound - 1.0) <= 1e-4))
                fail_msg("rank %zu: %g, bound %g", rank, error, bound);
            assert_true(fabs(report.produced_error / report.produced_bound - 1.0) <= 1e-4);
            assert_true(produced_error(&mha, &made, held_out, FRAMES) <=
                        produced_error(&mha, &joint, held_out, FRAMES));
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
    attn_layer mha = new_layer(ATTN_POS_NONE);
    spectra_orthonormal(directions, D, D, &seed);
    float *x = new_inputs(FRAMES, 0.9, 0.3, directions);
    produce(y, &mha, x, FRAMES);
    for (size_t i = 0; i < FRAMES * 2 * D; i++)
        all += y[i] * y[i];
    for (attn_convert_method method = ATTN_CONVERT_AVERAGE; method <= ATTN_CONVERT_ACTIVATION; method++) {
        attn_convert_report report;
        attn_layer made = convert(&mha, "mla_simple", method, 12, x, FRAMES, &report);
        assert_int_equal(report.latent_dim, 12);
        assert_int_equal(report.weights_rank, D);
        assert_int_equal(report.frames, FRAMES);
        assert_true(fabs(produced_error(&mha, &made, x, FRAMES) / sqrt(all) / report.produced_error - 1.0) <
                    1e-5);
        assert_true(fabs(produced_bound(&mha, x, FRAMES, 12) / sqrt(all) / report.produced_bound - 1.0) <
                    1e-5);
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
    attn_layer mha = new_layer(ATTN_POS_NONE);
    spectra_orthonormal(directions, D, D, &seed);
    float *white = new_inputs(FRAMES, 1.0, 0.0, directions), *same = calloc(20 * D, sizeof *same);
    float *narrow = new_inputs(FRAMES, 0.7, 0.0, directions);
    for (size_t t = 0; t < 20; t++)
        memcpy(same + t * D, white, D * sizeof *same);
    attn_layer joint = convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 12, NULL, 0, NULL);
    double flat = produced_error(&mha, &joint, white, FRAMES),
           steep = produced_error(&mha, &joint, narrow, FRAMES);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        attn_layer made = convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, 12, white, counts[i], NULL);
        assert_true(produced_error(&mha, &made, white + 40 * D, FRAMES - 40) <= 1.5 * flat);
        attn_layer_free(&made);
        made = convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, 12, narrow, counts[i], NULL);
        if (counts[i] >= 16)
            assert_true(produced_error(&mha, &made, narrow, FRAMES) <= 0.3 * steep);
        attn_layer_free(&made);
    }
    attn_layer made = convert(&mha, "mla_simple", ATTN_CONVERT_ACTIVATION, 12, same, 20, NULL);
    assert_true(produced_error(&mha, &made, white, FRAMES) <= 1.01 * flat);
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
    attn_layer mha = new_layer(ATTN_POS_NONE);
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
    attn_layer mha = new_layer(ATTN_POS_REL);
    attn_layer made = convert(&mha, "mla", ATTN_CONVERT_JOINT, 12, NULL, 0, NULL);
    assert_memory_equal(made.q_proj.weight, mha.q_proj.weight, D * D * sizeof(float));
    assert_memory_equal(made.q_proj.bias, mha.q_proj.bias, D * sizeof(float));
    assert_memory_equal(made.out_proj.weight, mha.out_proj.weight, D * D * sizeof(float));
    assert_memory_equal(made.out_proj.bias, mha.out_proj.bias, D * sizeof(float));
    assert_memory_equal(made.linear_pos.weight, mha.linear_pos.weight, D * D * sizeof(float));
    assert_memory_equal(made.pos_bias_u, mha.pos_bias_u, D * sizeof(float));
    assert_memory_equal(made.pos_bias_v, mha.pos_bias_v, D * sizeof(float));
    assert_memory_equal(made.k_expand_a.bias, mha.k_proj.bias, D * sizeof(float));
    assert_memory_equal(made.v_expand_a.bias, mha.v_proj.bias, D * sizeof(float));
    attn_layer simple = convert(&mha, "mla_simple", ATTN_CONVERT_JOINT, 12, NULL, 0, NULL);
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

static void gqa_takes_the_mean(void **state) {
    (void)state;
    attn_layer mha = new_layer(ATTN_POS_NONE);
    attn_layer made = convert(&mha, "gqa", ATTN_CONVERT_MEAN, 2, NULL, 0, NULL);
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

/* Heads 0 and 3 are the same, and 1 and 2: grouping finds that and is exact, under every position encoding.
 */
static void gqa_groups_heads_that_agree(void **state) {
    (void)state;
    double directions[D * D];
    spectra_orthonormal(directions, D, D, &seed);
    float *x = new_inputs(FRAMES, 0.9, 0.3, directions), wanted[50 * D], got[50 * D];
    for (size_t p = 0; p < 3; p++) {
        attn_layer mha = new_layer(positions[p]);
        attn_linear *both[] = {&mha.k_proj, &mha.v_proj};
        for (size_t k = 0; k < 2; k++)
            for (size_t pair = 0; pair < 2; pair++) {
                memcpy(both[k]->weight + (3 - pair) * D_K * D, both[k]->weight + pair * D_K * D,
                       D_K * D * sizeof(float));
                memcpy(both[k]->bias + (3 - pair) * D_K, both[k]->bias + pair * D_K, D_K * sizeof(float));
            }
        run(wanted, &mha, "mha", x, 50);
        attn_convert_report report;
        attn_layer made = convert(&mha, "gqa", ATTN_CONVERT_ACTIVATION, 2, x, FRAMES, &report);
        run(got, &made, "gqa", x, 50);
        assert_true(distance(got, wanted, 50 * D) < 1e-5);
        assert_true(report.produced_error < 1e-6 && report.weights_error < 1e-6);
        attn_layer_free(&made);
        made = convert(&mha, "gqa", ATTN_CONVERT_MEAN, 2, x, FRAMES, &report);
        run(got, &made, "gqa", x, 50);
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
    spectra_orthonormal(directions, D, D, &seed);
    float *x = new_inputs(FRAMES, 0.8, 0.0, directions);
    for (size_t draw = 0; draw < 20; draw++) {
        attn_convert_report mean, grouped;
        attn_layer mha = new_layer(ATTN_POS_NONE);
        memset(mha.k_proj.bias, 0, D * sizeof(float)); /* the mean of keys is nothing to the grouping */
        attn_layer made = convert(&mha, "gqa", ATTN_CONVERT_MEAN, 2, x, FRAMES, &mean);
        attn_layer_free(&made);
        made = convert(&mha, "gqa", ATTN_CONVERT_ACTIVATION, 2, x, FRAMES, &grouped);
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
    spectra_orthonormal(directions, D, D, &seed);
    float *x = new_inputs(FRAMES, 0.9, 0.3, directions), wanted[50 * D], got[50 * D];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        attn_layer mha = new_layer(ATTN_POS_REL), folded = {0};
        attn_layer made = convert(&mha, cases[i].type, cases[i].method, cases[i].size, x, FRAMES, NULL);
        attn_error error = {0};
        if (made.k_expand_b.weight) /* a second stage that is not the identity any more */
            attn_random_uniform(made.k_expand_b.weight, D * D_K, 0.3f, &seed);
        assert_int_equal(attn_fold_layer(&folded, &made, attn_variant_find(cases[i].type), &error), 0);
        run(wanted, &made, cases[i].type, x, 50);
        run(got, &folded, "mha", x, 50);
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
    spectra_orthonormal(directions, D, D, &seed);
    float *x = new_inputs(FRAMES, 0.9, 1.0, directions), wanted[50 * D], got[50 * D];
    attn_layer mha = new_layer(ATTN_POS_NONE), copy = {0};
    for (attn_convert_method method = ATTN_CONVERT_AVERAGE; method <= ATTN_CONVERT_ACTIVATION; method++) {
        attn_convert_target target = {.variant = attn_variant_find("mla_simple"), .method = method};
        attn_layer_inputs inputs = {x, FRAMES};
        attn_family *family;
        attn_error error = {0};
        assert_int_equal(attn_family_make(&family, &mha, &target, &inputs, &error), 0);
        for (size_t rank = 2; rank <= D; rank += 5) {
            attn_layer made = convert(&mha, "mla_simple", method, rank, x, FRAMES, NULL);
            assert_int_equal(attn_fold_layer(&copy, &mha, attn_variant_find("mha"), &error), 0);
            assert_int_equal(attn_family_fold(&copy, family, rank, &error), 0);
            run(wanted, &made, "mla_simple", x, 50);
            run(got, &copy, "mha", x, 50);
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
            double decay = 0.2 + 0.25 * (double)attn_random_below(&seed, 4);
            for (size_t i = 0; i < 6; i++)
                all += sigma[i] = pow(decay, (double)i);
            left[l][0] = 1.0;
            for (size_t i = 0; i < 6; i++)
                left[l][i + 1] = i == 5 ? 0.0 : left[l][i] - sigma[i] / all;
            curves[l] = (attn_error_curve){left[l], 6, 1};
        }
        size_t total = 3 + attn_random_below(&seed, 16), ranks[3];
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
    attn_layer mha = new_layer(ATTN_POS_NONE), made;
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
    attn_layer mha = new_layer(ATTN_POS_NONE), made;
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
    spectra_orthonormal(directions, D, D, &seed);
    float *x = new_inputs(8, 0.9, 0.3, directions);
    attn_layer mha = new_layer(ATTN_POS_NONE);
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
        cmocka_unit_test(full_rank_is_exact),
        cmocka_unit_test(rank_of_the_weights_is_enough),
        cmocka_unit_test(joint_reaches_eckart_young),
        cmocka_unit_test(activation_reaches_its_bound),
        cmocka_unit_test(reports_are_true),
        cmocka_unit_test(few_inputs_do_no_harm),
        cmocka_unit_test(balance_keeps_the_small_half),
        cmocka_unit_test(the_rest_stays),
        cmocka_unit_test(gqa_takes_the_mean),
        cmocka_unit_test(gqa_groups_heads_that_agree),
        cmocka_unit_test(gqa_grouping_never_loses),
        cmocka_unit_test(folding_goes_back),
        cmocka_unit_test(families_are_their_members),
        cmocka_unit_test(spreading_is_optimal),
        cmocka_unit_test(wrong_targets_are_named),
        cmocka_unit_test(not_finite_inputs_are_refused),
        cmocka_unit_test(refused_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
