#include "harness/model/training/gradients.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "attn/memory.h"
#include "attn/train.h"
#include "harness/model/training/targets.h"
#include "harness/model/utterances.h"

#include <math.h>
#include <stdio.h>

static int check_losses(const attn_train_result *result, size_t utterances, const char *input,
                        attn_error *error) {
    for (size_t u = 0; u < utterances; u++)
        if (!isfinite(result->losses[u]))
            return attn_fail(error, "%s: utterance %zu: its loss is %g", input, u, result->losses[u]);
    return 0;
}

static int run_pass(gradients_result *result, attn_model *gradient, const attn_model *model,
                    const attn_train_batch *batch, const attn_train_options *options, const char *input,
                    attn_error *error) {
    attn_train_result pass = {0};
    int failed = -1;
    size_t bytes = attn_train_bytes(model, batch, options);
    void *workspace = NULL;
    if (attn_memory_check((double)bytes, "activations and gradients of the batch", error))
        return -1;
    workspace = attn_alloc(bytes, 1, "activations and gradients of the batch", error);
    pass.losses = attn_alloc(batch->utterances, sizeof *pass.losses, "losses", error);
    if (workspace && pass.losses) {
        attn_train_gradients(gradient, model, batch, options, workspace, &pass);
        failed = check_losses(&pass, batch->utterances, input, error);
    }
    result->loss = pass.loss;
    result->infeasible = pass.infeasible;
    result->utterances = batch->utterances;
    result->workspace_bytes = bytes;
    attn_free(pass.losses);
    attn_free(workspace);
    return failed;
}

static int save(gradients_result *result, attn_model *gradient, const char *out, attn_error *error) {
    attn_parameters list;
    int failed = attn_parameters_list(&list, gradient, error);
    if (!failed)
        result->norm = attn_parameters_norm(&list);
    attn_parameters_free(&list);
    if (!failed && !isfinite(result->norm))
        failed = attn_fail(error, "the gradient's norm is %g", result->norm);
    return failed ? -1 : attn_gradient_save(gradient, out, error);
}

static int open_model(attn_model **model, attn_model **gradient, const gradients_request *request, char *note,
                      size_t note_size, attn_error *error) {
    attn_config config;
    char config_note[256];
    if (attn_config_read(&config, request->config, config_note, error))
        return -1;
    if (!config.vocab_size)
        return attn_fail(error, "%s: key vocab_size: needed, the loss is over the output layer",
                         request->config);
    if (attn_train_check(&config, error) || attn_model_create(model, &config, error) ||
        attn_model_load(*model, request->weights, error) || attn_model_like(gradient, *model, error))
        return -1;
    const char *load = attn_model_load_note(*model);
    snprintf(note, note_size, "%s%s%s", config_note, *config_note && *load ? "; " : "", load);
    return 0;
}

int gradients_run(gradients_result *result, const gradients_request *request, attn_error *error) {
    attn_model *model = NULL, *gradient = NULL;
    utterance_batch u = {0};
    targets t = {0};
    int failed = -1;
    *result = (gradients_result){0};
    if (open_model(&model, &gradient, request, result->note, sizeof result->note, error))
        goto done;
    const attn_config *config = attn_model_config(model);
    if (utterances_read(&u, request->input, request->lengths, config, error) ||
        targets_read(&t, request->targets, u.count, config->vocab_size, error) ||
        attn_output_try(request->out, error))
        goto done;
    attn_train_batch batch = {u.input.data, u.count, u.frames, u.lengths, t.labels, t.counts};
    attn_train_options options = {.checkpoint_activations = request->checkpoint_activations,
                                  .bf16_activations = request->bf16_activations};
    if (!run_pass(result, gradient, model, &batch, &options, request->input, error))
        failed = save(result, gradient, request->out, error);
done:
    targets_free(&t);
    utterances_free(&u);
    attn_model_free(gradient);
    attn_model_free(model);
    return failed;
}
