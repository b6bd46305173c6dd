/* Advice against running out of memory: the bytes that a training pass takes, from its layout (attn_train_bytes), which
 * is what `attnbench train` allocates. */
#include "attn/train.h"
#include "reports/paper/claims/claim.h"

#include <math.h>
#include <string.h>

enum { BATCH = 8, FRAMES = 1000, LABELS = 100 };

static const attn_train_options plain = {0};

/* The shapes of the paper's Conformer; NULL when memory is short. */
static attn_model *conformer(const char *type) {
    char yaml[160];
    attn_config config;
    attn_model *model = NULL;
    snprintf(yaml, sizeof yaml,
             "{attention_type: %s, d_model: 512, num_heads: 8, num_layers: 12, vocab_size: 500}", type);
    if (attn_config_parse(&config, yaml, strlen(yaml), "claims", NULL, NULL) ||
        attn_model_create_shapes(&model, &config, NULL))
        return NULL;
    return model;
}

/* NaN without a model. */
static double pass_bytes(const attn_model *model, size_t utterances, const attn_train_options *options) {
    size_t counts[BATCH];
    for (size_t u = 0; u < BATCH; u++)
        counts[u] = LABELS;
    attn_train_batch batch = {.utterances = utterances, .frames = FRAMES, .label_counts = counts};
    return model ? (double)attn_train_bytes(model, &batch, options) : NAN;
}

static void compare(claim_verdict *v, double with, double without, const char *what) {
    char before[32], after[32];
    if (isnan(with) || isnan(without))
        return;
    bytes_text(before, sizeof before, without);
    bytes_text(after, sizeof after, with);
    claim_add(v, claim_holds(with < without), "%s: %s instead of %s, %.3g times", what, after, before,
              with / without);
    claim_size(v, "Conformer, 12 layers, d_model 512, 8 heads; %d utterances of %d frames", BATCH, FRAMES);
}

static double bytes_of(const char *type) {
    attn_model *model = conformer(type);
    double bytes = pass_bytes(model, BATCH, &plain);
    attn_model_free(model);
    return bytes;
}

claims_passes claims_passes_of_conformer(void) {
    attn_model *mha = conformer("mha");
    const attn_train_options checkpoints = {.checkpoint_activations = true},
                             half = {.bf16_activations = true};
    claims_passes p = {.plain = pass_bytes(mha, BATCH, &plain),
                       .half_batch = pass_bytes(mha, BATCH / 2, &plain),
                       .checkpoints = pass_bytes(mha, BATCH, &checkpoints),
                       .half_precision = pass_bytes(mha, BATCH, &half)};
    attn_model_free(mha);
    p.mla = bytes_of("mla");
    p.mla_simple = bytes_of("mla_simple");
    return p;
}

void claim_smaller_batch(claim_verdict *v, const claims_evidence *e) {
    compare(v, e->passes.half_batch, e->passes.plain, "half as many utterances");
}

void claim_checkpointing(claim_verdict *v, const claims_evidence *e) {
    compare(v, e->passes.checkpoints, e->passes.plain, "--checkpoint-activations, the same bits");
}

void claim_half_precision(claim_verdict *v, const claims_evidence *e) {
    compare(v, e->passes.half_precision, e->passes.plain,
            "activations kept in 16 bits, computing in float32");
}

void claim_simple_memory(claim_verdict *v, const claims_evidence *e) {
    compare(v, e->passes.mla_simple, e->passes.mla, "mla_simple");
}
