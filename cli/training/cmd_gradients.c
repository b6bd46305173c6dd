/* attnbench gradients: the gradient of the CTC loss of one batch. */
#include "base/option_values.h"
#include "cli/frame/command.h"
#include "harness/model/training/gradients.h"

#include <stdio.h>
#include <string.h>

static const char *const formats[] = {"md", "json", NULL};

static int check_options(const gradients_request *r, attn_error *error) {
    const char *const needed[][2] = {{"--config", r->config},
                                     {"--weights", r->weights},
                                     {"--input", r->input},
                                     {"--targets", r->targets},
                                     {"--out", r->out}};
    for (size_t i = 0; i < 5; i++)
        if (option_needs(needed[i][0], needed[i][1], error))
            return -1;
    for (size_t i = 0; i < 4; i++)
        if (option_distinct("--out", r->out, needed[i][0], needed[i][1], error))
            return -1;
    return 0;
}

static void print(const gradients_result *r, bool json) {
    if (json)
        printf("{\"loss\": %.17g, \"gradient_norm\": %.17g, \"utterances\": %zu, \"infeasible\": %zu, "
               "\"workspace_bytes\": %zu}\n",
               r->loss, r->norm, r->utterances, r->infeasible, r->workspace_bytes);
    else
        printf("loss %.9g\ngradient norm %.9g\nutterances %zu\ninfeasible %zu\nworkspace bytes %zu\n",
               r->loss, r->norm, r->utterances, r->infeasible, r->workspace_bytes);
}

int cmd_gradients(int argc, char **argv) {
    gradients_request r = {0};
    const char *format = "md", *activations = "f32";
    int checkpoints = 0, status;
    struct poptOption table[] = {
        {"config", 'c', POPT_ARG_STRING, &r.config, 0, "needed: model configuration (YAML)", "F"},
        {"weights", 'w', POPT_ARG_STRING, &r.weights, 0, "needed: checkpoint (safetensors)", "F"},
        {"input", 'i', POPT_ARG_STRING, &r.input, 0, "needed: features [B, T, input_dim], float32", "X.npy"},
        {"targets", 't', POPT_ARG_STRING, &r.targets, 0,
         "needed: token numbers (JSON): a list of lists, one an utterance", "T.json"},
        {"out", 'o', POPT_ARG_STRING, &r.out, 0, "needed: where the gradients go (safetensors)", "G"},
        {"lengths", 'l', POPT_ARG_STRING, &r.lengths, 0,
         "valid input frames of each utterance (default: all)", "a,b"},
        {"checkpoint-activations", '\0', POPT_ARG_NONE, &checkpoints, 0,
         "run each block again on the way back: the same bits for less memory", NULL},
        {"activation-dtype", '\0', POPT_ARG_STRING, &activations, 0,
         "f32 (default) or bf16: what the way back needs of blocks; half of the memory, not faster", "T"},
        {"format", '\0', POPT_ARG_STRING, &format, 0, "md or json", "F"},
        POPT_TABLEEND};
    if (!command_options(
            argc, argv, "",
            "Runs a model in training mode, without dropout and SpecAugment, prints the CTC loss (sum "
            "over utterances / their number) and writes the gradient of every parameter.",
            table, NULL, &status))
        return status;
    attn_error error = {0};
    gradients_result result;
    int activation = option_choice("--activation-dtype", activations, option_activation_dtypes, &error);
    r.checkpoint_activations = checkpoints;
    r.bf16_activations = activation == 1;
    if (activation < 0 || option_choice("--format", format, formats, &error) < 0 ||
        check_options(&r, &error) || gradients_run(&result, &r, &error))
        return command_fail("gradients", &error);
    if (*result.note)
        fprintf(stderr, "attnbench gradients: %s\n", result.note);
    print(&result, !strcmp(format, "json"));
    return STATUS_OK;
}
