#include "tests/support/models/layers.h"

#include "tests/support/cmocka_all.h"
#include "tests/support/spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t layers_seed = 7;

attn_layer layers_new(attn_pos_enc pos_enc) {
    attn_geometry g = {.d_model = D, .num_heads = HEADS, .pos_enc = pos_enc};
    attn_layer layer = {0};
    attn_error error = {0};
    assert_int_equal(attn_layer_create(&layer, attn_variant_find("mha"), &g, layers_seed++, &error), 0);
    return layer;
}

void layers_set_spectrum(attn_layer *layer, const double *sigma) {
    float stacked[2 * D * D];
    spectra_matrix(stacked, 2 * D, D, sigma, &layers_seed);
    memcpy(layer->k_proj.weight, stacked, sizeof stacked / 2);
    memcpy(layer->v_proj.weight, stacked + D * D, sizeof stacked / 2);
}

float *layers_inputs(size_t frames, double decay, double mean, const double *directions) {
    float *x = calloc(frames * D, sizeof *x);
    for (size_t t = 0; t < frames; t++)
        for (size_t r = 0; r < D; r++) {
            double along = pow(decay, (double)r) * (spectra_normal(&layers_seed) + mean);
            for (size_t i = 0; i < D; i++)
                x[t * D + i] += (float)(along * directions[i * D + r]);
        }
    return x;
}

void layers_run(float *out, const attn_layer *layer, const char *type, const float *x, size_t frames) {
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

void layers_produce(double *y, const attn_layer *layer, const float *x, size_t frames) {
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

double layers_produced_error(const attn_layer *mha, const attn_layer *other, const float *x, size_t frames) {
    double *a = calloc(frames * 2 * D, sizeof *a), *b = calloc(frames * 2 * D, sizeof *b), sum = 0.0;
    layers_produce(a, mha, x, frames);
    layers_produce(b, other, x, frames);
    for (size_t i = 0; i < frames * 2 * D; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    free(a);
    free(b);
    return sqrt(sum);
}

double layers_produced_bound(const attn_layer *mha, const float *x, size_t frames, size_t rank) {
    enum { WIDE = 2 * D };
    double *y = calloc(frames * WIDE, sizeof *y), *gram = calloc(WIDE * WIDE, sizeof *gram);
    double values[WIDE], sum = 0.0;
    layers_produce(y, mha, x, frames);
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

attn_layer layers_convert(const attn_layer *mha, const char *type, attn_convert_method method, size_t rank,
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

void layers_spectrum(double *sigma, const char *kind) {
    for (size_t r = 0; r < D; r++)
        sigma[r] = !strcmp(kind, "flat")        ? 1.0
                   : !strcmp(kind, "decaying")  ? pow(0.8, (double)r)
                   : !strcmp(kind, "deficient") ? (r < 11 ? 11.0 - (double)r : 0.0)
                                                : pow(10.0, -12.0 * (double)r / (D - 1)); /* ill */
}
