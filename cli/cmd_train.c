/* attnbench train: trains a model on the speech of a split. */
#include "attn/alloc.h"
#include "cli/command.h"
#include "harness/model/training/training.h"

#include <stdio.h>
#include <string.h>

typedef struct train_options {
    training_request r;
    char *from;
    long long epochs, seed;
    int checkpoints;
} train_options;

static const long long NOT_GIVEN = -1;

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
    if (o->epochs != NOT_GIVEN && option_range("--epochs", o->epochs, 0, 1 << 24, error))
        return -1;
    o->r.epochs_given = o->epochs != NOT_GIVEN;
    o->r.epochs = o->r.epochs_given ? (size_t)o->epochs : 0;
    o->r.seed = (uint64_t)o->seed;
    o->r.checkpoint_activations = o->checkpoints;
    return option_range("--seed", o->seed, 0, 1LL << 62, error);
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
    train_options o = {.epochs = NOT_GIVEN, .seed = 1};
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
        {"units", 'u', POPT_ARG_STRING, &o.r.units, 0, "char (default), word, or a file units.txt", "U"},
        {"epochs", '\0', POPT_ARG_LONGLONG, &o.epochs, 0,
         "epochs in all (default: num_epochs of the configuration, or 5); 0 writes the model as it begins",
         "N"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of weights, order, dropout and masks (default 1)",
         "N"},
        {"checkpoint-activations", '\0', POPT_ARG_NONE, &o.checkpoints, 0,
         "run each block again on the way back: the same bits for less memory", NULL},
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
        failed = training_run(&o.r, &error);
    }
    attn_free(paths[0]);
    attn_free(paths[1]);
    return failed ? command_fail("train", &error) : STATUS_OK;
}
