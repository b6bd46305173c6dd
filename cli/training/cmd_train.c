/* attnbench train: trains a model on the speech of a split. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "base/option_values.h"
#include "cli/frame/command.h"
#include "harness/model/training/training.h"
#include "impl/attention/variant_names.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_STEPS = 32 };

typedef struct train_options {
    training_request r;
    char *from, *convert_to, *method, *schedule;
    long long epochs, seed, latent_dim, num_kv_heads, threads;
    char *activations;
    int checkpoints;
    size_t dims[MOST_STEPS], steps; /* of --latent-schedule */
} train_options;

/* "a,b,c", each smaller than the one before. */
static int read_schedule(train_options *o, attn_error *error) {
    for (char *at = o->schedule; at;) {
        char *end;
        long long value = strtoll(at, &end, 10);
        if (end == at || value < 1 || value > 1 << 20 || (*end && *end != ',') || o->steps == MOST_STEPS ||
            (o->steps && (size_t)value >= o->dims[o->steps - 1]))
            return attn_fail(error,
                             "--latent-schedule %s: expected up to %d falling numbers with commas between",
                             o->schedule, MOST_STEPS);
        o->dims[o->steps++] = (size_t)value;
        at = *end ? end + 1 : NULL;
    }
    if (o->steps && o->latent_dim != OPTION_NOT_GIVEN)
        return attn_fail(error, "--latent-schedule %s: --latent-dim is given; only one of them can be",
                         o->schedule);
    if (o->steps)
        o->latent_dim = (long long)o->dims[o->steps - 1];
    return 0;
}

/* What --convert-to and its size say. */
static int check_conversion(train_options *o, attn_error *error) {
    const char *types[ATTN_VARIANT_NAMES];
    attn_variant_names(types, ATTN_TAKES_SIZE);
    if (!o->convert_to) {
        if (o->latent_dim != OPTION_NOT_GIVEN || o->num_kv_heads != OPTION_NOT_GIVEN || o->method ||
            o->schedule)
            return attn_fail(
                error, "--latent-dim, --latent-schedule, --num-kv-heads and --method need --convert-to");
        return 0;
    }
    if (read_schedule(o, error))
        return -1;
    if (option_choice("--convert-to", o->convert_to, types, error) < 0)
        return -1;
    o->r.convert_to = attn_variant_find(o->convert_to);
    bool latent = o->r.convert_to->has_latent;
    if ((latent ? o->latent_dim : o->num_kv_heads) == OPTION_NOT_GIVEN)
        return attn_fail(error, "--convert-to %s: needs %s", o->convert_to,
                         latent ? "--latent-dim" : "--num-kv-heads");
    if ((latent ? o->num_kv_heads : o->latent_dim) != OPTION_NOT_GIVEN)
        return attn_fail(error, "--convert-to %s: takes no %s", o->convert_to,
                         latent ? "--num-kv-heads" : "--latent-dim");
    if (!o->from && !o->r.weights)
        return attn_fail(error, "--convert-to %s: needs --from or --weights", o->convert_to);
    int method =
        option_choice("--method", o->method ? o->method : "activation", attn_convert_method_names, error);
    if (method < 0 || (latent ? option_range("--latent-dim", o->latent_dim, 1, 1 << 20, error)
                              : option_range("--num-kv-heads", o->num_kv_heads, 1, 1 << 20, error)))
        return -1;
    o->r.method = (attn_convert_method)method;
    o->r.latent_dim = latent ? (size_t)o->latent_dim : 0;
    o->r.num_kv_heads = latent ? 0 : (size_t)o->num_kv_heads;
    return 0;
}

static int check_options(train_options *o, attn_error *error) {
    const training_request *r = &o->r;
    const char *const needed[][2] = {{"--config", r->config},
                                     {"--data", r->data},
                                     {"--split", r->split},
                                     {"--dev-split", r->dev_split},
                                     {"--out", r->out}};
    for (size_t i = 0; i < 5; i++)
        if (option_needs(needed[i][0], needed[i][1], error))
            return -1;
    if (o->from && r->weights)
        return attn_fail(error, "--from %s: --weights is given; only one of them can be", o->from);
    if (!(r->learning_rate >= 0 && r->learning_rate <= 1000))
        return attn_fail(error, "--learning-rate %g: expected 0 to 1000", r->learning_rate);
    if (option_range_given("--epochs", o->epochs, 0, 1 << 24, error))
        return -1;
    o->r.epochs_given = o->epochs != OPTION_NOT_GIVEN;
    o->r.epochs = o->r.epochs_given ? (size_t)o->epochs : 0;
    o->r.seed = (uint64_t)o->seed;
    o->r.checkpoint_activations = o->checkpoints;
    int activation = option_choice("--activation-dtype", o->activations ? o->activations : "f32",
                                   option_activation_dtypes, error);
    if (activation < 0)
        return -1;
    o->r.bf16_activations = activation == 1;
    o->r.threads = (int)o->threads;
    if (option_range("--threads", o->threads, 1, 256, error))
        return -1;
    if (option_range("--seed", o->seed, 0, 1LL << 62, error) || check_conversion(o, error))
        return -1;
    return attn_folder_try(r->out, error);
}

/* RUN0 gives the weights and, unless others are named, the units. */
static int take_from(train_options *o, char *paths[2], attn_error *error) {
    if (!o->from)
        return 0;
    paths[0] = attn_format(error, "%s/model.safetensors", o->from);
    paths[1] = attn_format(error, "%s/units.txt", o->from);
    if (!paths[0] || !paths[1])
        return -1;
    o->r.weights = paths[0];
    o->r.units = o->r.units ? o->r.units : paths[1];
    return 0;
}

int cmd_train(int argc, char **argv) {
    train_options o = {.epochs = OPTION_NOT_GIVEN,
                       .seed = 1,
                       .threads = 1,
                       .latent_dim = OPTION_NOT_GIVEN,
                       .num_kv_heads = OPTION_NOT_GIVEN};
    char types[ATTN_VARIANT_NAMES_TEXT], to_help[sizeof types + 64], latent_help[sizeof types + 8],
        heads_help[sizeof types + 8];
    attn_variant_names_text(types, ATTN_TAKES_SIZE, " or ");
    snprintf(to_help, sizeof to_help, "mha weights become %s first; --config is the mha model's", types);
    attn_variant_names_text(types, ATTN_TAKES_LATENT, " and ");
    snprintf(latent_help, sizeof latent_help, "of %s", types);
    attn_variant_names_text(types, ATTN_TAKES_KV_HEADS, " and ");
    snprintf(heads_help, sizeof heads_help, "of %s", types);
    struct poptOption table[] = {
        {"config", 'c', POPT_ARG_STRING, &o.r.config, 0, "needed: model configuration (YAML)", "F"},
        {"data", 'd', POPT_ARG_STRING, &o.r.data, 0, "needed: a corpus laid out as LibriSpeech is", "DIR"},
        {"split", 's', POPT_ARG_STRING, &o.r.split, 0, "needed: the split to learn", "S"},
        {"dev-split", '\0', POPT_ARG_STRING, &o.r.dev_split, 0,
         "needed: the split that each epoch is judged on", "S2"},
        {"out", 'o', POPT_ARG_STRING, &o.r.out, 0, "needed: the folder of the run; goes on where it was",
         "RUN"},
        {"from", '\0', POPT_ARG_STRING, &o.from, 0, "begin with another run's weights and units", "RUN0"},
        {"weights", 'w', POPT_ARG_STRING, &o.r.weights, 0, "begin with a checkpoint (safetensors)", "W"},
        {"convert-to", '\0', POPT_ARG_STRING, &o.convert_to, 0, to_help, "T"},
        {"latent-dim", '\0', POPT_ARG_LONGLONG, &o.latent_dim, 0, latent_help, "R"},
        {"latent-schedule", '\0', POPT_ARG_STRING, &o.schedule, 0,
         "instead: step by step, each a training of --epochs; all but the last in RUN/steps", "R1,R2"},
        {"num-kv-heads", '\0', POPT_ARG_LONGLONG, &o.num_kv_heads, 0, heads_help, "G"},
        {"method", '\0', POPT_ARG_STRING, &o.method, 0,
         "of the conversion: as in convert (default activation, on the training split)", "M"},
        {"units", 'u', POPT_ARG_STRING, &o.r.units, 0, "char (default), word, or a file units.txt", "U"},
        {"epochs", '\0', POPT_ARG_LONGLONG, &o.epochs, 0,
         "epochs in all (default: num_epochs of the configuration, or 5); 0 writes the model as it begins",
         "N"},
        {"learning-rate", '\0', POPT_ARG_DOUBLE, &o.r.learning_rate, 0,
         "its peak (default: the configuration's, or 3e-3)", "X"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of weights, order, dropout and masks (default 1)",
         "N"},
        {"threads", '\0', POPT_ARG_LONGLONG, &o.threads, 0,
         "that share each batch (default 1); the bits are those of the number", "N"},
        {"feature-cache", '\0', POPT_ARG_STRING, &o.r.feature_cache, 0,
         "keep features in files here, for this and other trainings (default: in memory; RUN/features above "
         "1 GiB)",
         "DIR"},
        {"checkpoint-activations", '\0', POPT_ARG_NONE, &o.checkpoints, 0,
         "run each block again on the way back: the same bits for less memory", NULL},
        {"activation-dtype", '\0', POPT_ARG_STRING, &o.activations, 0,
         "f32 (default) or bf16: what the way back needs of blocks; half of the memory, not faster", "T"},
        POPT_TABLEEND};
    int status;
    if (!command_options(argc, argv, "", "Trains a model on speech, and goes on after a stop.", table, NULL,
                         &status))
        return status;
    attn_error error = {0};
    char *paths[2] = {NULL, NULL};
    o.r.progress = stderr;
    int failed = check_options(&o, &error) || take_from(&o, paths, &error);
    if (!failed) {
        o.r.units = o.r.units ? o.r.units : "char";
        failed = o.steps ? training_run_schedule(&o.r, o.dims, o.steps, &error) : training_run(&o.r, &error);
    }
    attn_free(paths[0]);
    attn_free(paths[1]);
    return failed ? command_fail("train", &error) : STATUS_OK;
}
