/* Error against cached bytes: of a model, and of random weights. */
#include "harness/conversion/analysis.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "harness/conversion/tradeoff.h"

#include <math.h>
#include <string.h>

enum { PAPER_CALIBRATION = 2, PAPER_TEST_FRAMES = 512 };

/* Half of the utterances calibrate, the others test; where there is one, it does both. */
static void part_inputs(tradeoff_plan *plan, const attn_calibration *all, size_t width) {
    size_t half = all->batch / 2;
    plan->held_out = half > 0;
    plan->calibration = plan->test = *all;
    if (!half)
        return;
    plan->calibration.batch = half;
    plan->test.batch = all->batch - half;
    plan->test.x += half * all->frames * width;
    if (all->lengths)
        plan->test.lengths += half;
}

int analysis_sweep(text_table *t, const analysis *s, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    calibration inputs = {0};
    size_t latent_dims[16];
    char *what = NULL, *subject = NULL;
    int result = -1;
    if (analysis_load(&model, &config, s->mha, s->mha_weights, s, error))
        goto done;
    if (strcmp(config.variant->name, "mha")) {
        attn_fail(error, "--mha: its attention_type is %s, expected mha", config.variant->name);
        goto done;
    }
    subject = analysis_subject(s->mha, &config, error);
    if (!subject || analysis_features(&inputs, s, &config, error) ||
        !(what = analysis_features_text(s, &inputs, error)))
        goto done;
    tradeoff_plan plan = {.subject = subject,
                          .inputs = what,
                          .model = model,
                          .latent_dims = latent_dims,
                          .count = tradeoff_latent_dims(latent_dims, config.attention.d_model),
                          .seq_len = s->seq_len,
                          .steps = s->steps};
    part_inputs(&plan, &inputs.at, config.input_dim);
    result = tradeoff_measure(t, &plan, error);
done:
    attn_free(what);
    attn_free(subject);
    calibration_free(&inputs);
    attn_model_free(model);
    return result;
}

/* Dimension i of d varies as 10^(-2 i / d), two decades from the first to the last; frames are then scaled to
 * a mean square of 1, as a LayerNorm leaves them. */
static void make_decay(float *x, size_t frames, size_t d) {
    for (size_t t = 0; t < frames; t++) {
        double squares = 0.0;
        for (size_t i = 0; i < d; i++) {
            x[t * d + i] *= (float)pow(10.0, -2.0 * (double)i / (double)d);
            squares += (double)x[t * d + i] * (double)x[t * d + i];
        }
        for (size_t i = 0; i < d; i++)
            x[t * d + i] *= (float)sqrt((double)d / squares);
    }
}

/* As torch.nn.MultiheadAttention starts: uniform in +-sqrt(3 / d), which is Xavier's for square matrices, and
 * no biases. */
static void make_weights(attn_layer *layer, uint64_t seed) {
    attn_linear *const all[] = {&layer->q_proj, &layer->k_proj, &layer->v_proj, &layer->out_proj};
    for (size_t i = 0; i < 4; i++) {
        attn_random_uniform(all[i]->weight, all[i]->out * all[i]->in, sqrtf(3.0f / (float)all[i]->in), &seed);
        memset(all[i]->bias, 0, all[i]->out * sizeof(float));
    }
}

int analysis_sweep_random(text_table *t, const char *name, const attn_geometry *g, const analysis *s,
                          attn_error *error) {
    attn_config config = {.model_type = ATTN_MODEL_ATTENTION,
                          .variant = attn_variant_find("mha"),
                          .attention = {.d_model = g->d_model, .num_heads = g->num_heads},
                          .num_layers = 1,
                          .input_dim = g->d_model,
                          .layer_norm_eps = 1e-5};
    calibration seen = {0}, test = {0};
    attn_model *model = NULL;
    size_t latent_dims[16], d = g->d_model;
    char *subject =
        attn_format(error, "%s: a layer of random weights, d_model %zu, %zu heads", name, d, g->num_heads);
    int result = -1;
    if (!subject || attn_model_create(&model, &config, error) ||
        analysis_make_features(&seen, &config, PAPER_CALIBRATION * d, s->seed, error) ||
        analysis_make_features(&test, &config, PAPER_TEST_FRAMES, s->seed + 1, error))
        goto done;
    make_weights(attn_model_attention(model, 0), s->seed);
    make_decay(seen.x, seen.frames, d);
    make_decay(test.x, test.frames, d);
    tradeoff_plan plan = {.subject = subject,
                          .inputs = "random inputs whose deviations fall by two decades over the dimensions",
                          .model = model,
                          .calibration = seen.at,
                          .test = test.at,
                          .held_out = true,
                          .latent_dims = latent_dims,
                          .count = tradeoff_latent_dims(latent_dims, d),
                          .seq_len = s->seq_len,
                          .steps = s->steps};
    result = tradeoff_measure(t, &plan, error);
done:
    attn_free(subject);
    calibration_free(&seen);
    calibration_free(&test);
    attn_model_free(model);
    return result;
}
