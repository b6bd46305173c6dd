/* One training in memory: the model, what moves it, and how far it is. */
#ifndef HARNESS_MODEL_TRAINING_TRAINER_H
#define HARNESS_MODEL_TRAINING_TRAINER_H

#include "attn/train.h"
#include "harness/model/speech/speech.h"

#include <stdbool.h>

/* Models of the same tensors. */
typedef enum trainer_model {
    TRAINER_WEIGHTS,
    TRAINER_M, /* first and second moments of the gradient */
    TRAINER_V,
    TRAINER_AVERAGE, /* of the last epochs' weights, running statistics included */
    TRAINER_GRADIENT,
    TRAINER_MODELS
} trainer_model;

typedef struct trainer {
    attn_config config;
    attn_model *models[TRAINER_MODELS];
    attn_parameters parameters[TRAINER_MODELS]; /* trained tensors */
    attn_parameters tensors[TRAINER_MODELS];    /* all of them */
    uint64_t seed, step;
    size_t epoch, epochs; /* done, and in all */
    size_t averaged;      /* epochs in the average */
    uint64_t total_steps;
    bool checkpoint_activations, bf16_activations;
    float *x; /* a batch's features; grows */
    void *workspace;
} trainer;

/* Takes the model, after a failure too, as the weights to begin with. Free with trainer_free. */
int trainer_create(trainer *t, attn_model *model, attn_error *error);
void trainer_free(trainer *t);

/* How an epoch went. */
typedef struct trainer_epoch {
    double loss;          /* mean over utterances */
    double learning_rate; /* of the last step */
    double gradient_norm; /* mean over steps, before clipping */
    size_t steps, infeasible;
} trainer_epoch;

/* One epoch: t->epoch and t->step go on. A loss that is not finite is an error that names the utterance. */
int trainer_run_epoch(trainer *t, trainer_epoch *result, const speech *s, attn_error *error);

/* Bytes of the largest batch of the coming epoch, its features and activations, by a dry run of their layout with the threads
 * in use: what trainer_run_epoch will hold next to models and speech. */
int trainer_batch_bytes(size_t *bytes, const trainer *t, const speech *s, attn_error *error);

/* Steps that an epoch has without shuffling, for the schedule. */
int trainer_count_steps(size_t *steps, const trainer *t, const speech *s, attn_error *error);

/* The model to keep: the average where there is one, else the weights. */
attn_model *trainer_result(trainer *t);

/* state.safetensors: all of the trainer but what can be made again. `identity` tells trainings apart. trainer_load
 * returns 0 with *found false when there is no such file; an error when it is another training's. */
int trainer_save(const trainer *t, uint64_t identity, const char *path, attn_error *error);
int trainer_load(trainer *t, bool *found, uint64_t identity, const char *path, attn_error *error);

#endif
