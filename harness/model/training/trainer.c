#include "harness/model/training/trainer.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "attn/size.h"
#include "datasets/batches.h"
#include "datasets/fbank.h"

#include <math.h>
#include <string.h>

static const double betas[2] = {0.9, 0.98}, adamw_eps = 1e-9, momentum = 0.1, time_share = 0.2;
static const double default_rate = 3e-3;

/* The branch then adds nothing, whatever came before its output layer. In a gradient it keeps them at 0. */
static void silence_attention(attn_model *model) {
    for (size_t i = 0; i < attn_model_config(model)->num_layers; i++) {
        attn_linear *out = &attn_model_attention(model, i)->out_proj;
        memset(out->weight, 0, out->out * out->in * sizeof *out->weight);
        memset(out->bias, 0, out->out * sizeof *out->bias);
    }
}

int trainer_create(trainer *t, attn_model *model, attn_error *error) {
    *t = (trainer){.config = *attn_model_config(model), .models = {[TRAINER_WEIGHTS] = model}};
    if (attn_train_check(&t->config, error))
        return -1;
    for (size_t i = 0; i < TRAINER_MODELS; i++)
        if ((i && attn_model_like(&t->models[i], model, error)) ||
            attn_parameters_list(&t->parameters[i], t->models[i], error) ||
            attn_tensors_list(&t->tensors[i], t->models[i], error))
            return -1;
    if (t->config.train.no_attention)
        silence_attention(model);
    return 0;
}

void trainer_free(trainer *t) {
    for (size_t i = 0; i < TRAINER_MODELS; i++) {
        attn_parameters_free(&t->parameters[i]);
        attn_parameters_free(&t->tensors[i]);
        attn_model_free(t->models[i]);
    }
    attn_free(t->x);
    attn_free(t->workspace);
    *t = (trainer){0};
}

attn_model *trainer_result(trainer *t) {
    return t->models[t->averaged ? TRAINER_AVERAGE : TRAINER_WEIGHTS];
}

/* ---- A batch ---- */

typedef struct batch_memory {
    size_t *lengths, *label_counts;
    int32_t *labels;
    double *losses;
} batch_memory;

static int batch_memory_create(batch_memory *m, const speech *s, attn_error *error) {
    size_t labels = 0;
    for (size_t u = 0; u < s->count; u++)
        labels += s->label_counts[u];
    *m = (batch_memory){.lengths = attn_alloc(s->count, sizeof *m->lengths, "batch", error),
                        .label_counts = attn_alloc(s->count, sizeof *m->label_counts, "batch", error),
                        .labels = attn_alloc(labels, sizeof *m->labels, "batch", error),
                        .losses = attn_alloc(s->count, sizeof *m->losses, "batch", error)};
    return m->lengths && m->label_counts && m->labels && m->losses ? 0 : -1;
}

static void batch_memory_free(batch_memory *m) {
    attn_free(m->lengths);
    attn_free(m->label_counts);
    attn_free(m->labels);
    attn_free(m->losses);
}

/* Makes *block at least so large; what it held is lost. */
static int need(void **block, size_t bytes, const char *what, attn_error *error) {
    if (*block && attn_alloc_size(*block) >= bytes)
        return 0;
    attn_free(*block);
    *block = attn_alloc(bytes, 1, what, error);
    return *block ? 0 : -1;
}

static void augment(const trainer *t, float *x, size_t frames, size_t utterance) {
    const attn_train_keys *k = &t->config.train;
    attn_spec_augment options = {k->frequency_masks, k->frequency_width, k->time_masks, k->time_width,
                                 time_share};
    if (k->spec_augment)
        attn_spec_augment_apply(x, frames, FBANK_BINS, attn_model_cmvn_mean(t->models[TRAINER_WEIGHTS]),
                                &options, t->seed, t->step, utterance);
}

/* A batch with its sizes, without features and labels. */
static attn_train_batch empty_batch(batch_memory *m, const speech *s, const size_t *which, size_t count) {
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        m->lengths[i] = s->frames[which[i]];
        m->label_counts[i] = s->label_counts[which[i]];
        longest = attn_larger(longest, m->lengths[i]);
    }
    return (attn_train_batch){NULL, count, longest, m->lengths, m->labels, m->label_counts};
}

static size_t feature_bytes(const attn_train_batch *batch) {
    return batch->utterances * batch->frames * FBANK_BINS * sizeof *batch->x;
}

static int collate(attn_train_batch *batch, trainer *t, batch_memory *m, const speech *s, const size_t *which,
                   size_t count, attn_error *error) {
    size_t labels = 0;
    *batch = empty_batch(m, s, which, count);
    if (need((void **)&t->x, feature_bytes(batch), "features of a batch", error))
        return -1;
    for (size_t i = 0; i < count; i++) {
        size_t u = which[i];
        float *to = t->x + i * batch->frames * FBANK_BINS;
        memcpy(to, s->features[u], s->frames[u] * FBANK_BINS * sizeof *to);
        augment(t, to, s->frames[u], u);
        memcpy(m->labels + labels, s->labels[u], s->label_counts[u] * sizeof *m->labels);
        labels += s->label_counts[u];
    }
    batch->x = t->x;
    return 0;
}

/* ---- Steps ---- */

static double learning_rate(const trainer *t) {
    double peak = t->config.learning_rate > 0 ? t->config.learning_rate : default_rate;
    return attn_learning_rate(peak, t->step, t->config.train.warmup_steps, t->total_steps,
                              t->config.train.final_rate);
}

static int check_losses(const trainer *t, const batch_memory *m, const speech *s, const size_t *which,
                        size_t count, attn_error *error) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(m->losses[i]))
            return attn_fail(
                error,
                "epoch %zu, step %llu: utterance %s: its loss is %g (a smaller learning_rate may help)",
                t->epoch + 1, (unsigned long long)t->step, s->corpus.utterances[which[i]].id, m->losses[i]);
    return 0;
}

static attn_train_options options_of(const trainer *t) {
    return (attn_train_options){.dropout = t->config.dropout,
                                .seed = t->seed,
                                .step = t->step,
                                .checkpoint_activations = t->checkpoint_activations,
                                .bf16_activations = t->bf16_activations};
}

static int take_step(trainer *t, trainer_epoch *e, batch_memory *m, const speech *s, const size_t *which,
                     size_t count, attn_error *error) {
    attn_train_batch batch;
    attn_model *model = t->models[TRAINER_WEIGHTS], *gradient = t->models[TRAINER_GRADIENT];
    attn_train_result result = {.losses = m->losses};
    t->step++;
    attn_train_options options = options_of(t);
    if (collate(&batch, t, m, s, which, count, error) ||
        need(&t->workspace, attn_train_bytes(model, &batch, &options), "activations of a batch", error))
        return -1;
    attn_parameters_clear(&t->parameters[TRAINER_GRADIENT]);
    attn_train_gradients(gradient, model, &batch, &options, t->workspace, &result);
    if (check_losses(t, m, s, which, count, error))
        return -1;
    if (t->config.train.no_attention)
        silence_attention(gradient);
    attn_adamw adamw = {learning_rate(t), betas[0], betas[1], adamw_eps, t->config.weight_decay};
    double norm = attn_parameters_clip(&t->parameters[TRAINER_GRADIENT], t->config.train.clip);
    if (!isfinite(norm))
        return attn_fail(error, "epoch %zu, step %llu: the gradient's norm is %g", t->epoch + 1,
                         (unsigned long long)t->step, norm);
    attn_adamw_step(&t->parameters[TRAINER_WEIGHTS], &t->parameters[TRAINER_GRADIENT],
                    &t->parameters[TRAINER_M], &t->parameters[TRAINER_V], &adamw, t->step);
    attn_train_update_statistics(model, gradient, momentum);
    e->loss += result.loss * (double)count / (double)s->count;
    e->gradient_norm += norm;
    e->infeasible += result.infeasible;
    e->learning_rate = adamw.learning_rate;
    e->steps++;
    return 0;
}

static int make_batches(batches *b, const trainer *t, const speech *s, bool shuffle, attn_error *error) {
    batch_limits limits = {t->config.train.batch_frames, t->config.batch_size};
    uint64_t state = t->seed, seed = attn_random_next(&state) ^ (t->epoch + 1);
    return batches_make(b, s->frames, s->count, &limits, shuffle, seed, error);
}

int trainer_count_steps(size_t *steps, const trainer *t, const speech *s, attn_error *error) {
    batches b;
    if (make_batches(&b, t, s, false, error))
        return -1;
    *steps = b.count;
    batches_free(&b);
    return 0;
}

static size_t bytes_of_batch(const trainer *t, batch_memory *m, const speech *s, const size_t *which,
                             size_t count) {
    attn_train_batch batch = empty_batch(m, s, which, count);
    attn_train_options options = options_of(t);
    return attn_train_bytes(t->models[TRAINER_WEIGHTS], &batch, &options) + feature_bytes(&batch);
}

int trainer_batch_bytes(size_t *bytes, const trainer *t, const speech *s, attn_error *error) {
    batches b;
    batch_memory memory;
    *bytes = 0;
    if (make_batches(&b, t, s, true, error))
        return -1;
    int failed = batch_memory_create(&memory, s, error);
    for (size_t i = 0; !failed && i < b.count; i++) {
        size_t needed = bytes_of_batch(t, &memory, s, b.utterances + b.start[i], b.start[i + 1] - b.start[i]);
        *bytes = attn_larger(*bytes, needed);
    }
    batch_memory_free(&memory);
    batches_free(&b);
    return failed;
}

static void average_epoch(trainer *t) {
    if (t->epoch + t->config.train.average_checkpoints <= t->epochs ||
        t->config.train.average_checkpoints < 2)
        return;
    attn_parameters_average(&t->tensors[TRAINER_AVERAGE], &t->tensors[TRAINER_WEIGHTS], ++t->averaged);
}

int trainer_run_epoch(trainer *t, trainer_epoch *result, const speech *s, attn_error *error) {
    batches b;
    batch_memory memory;
    *result = (trainer_epoch){0};
    if (make_batches(&b, t, s, true, error))
        return -1;
    int failed = batch_memory_create(&memory, s, error);
    for (size_t i = 0; !failed && i < b.count; i++)
        failed =
            take_step(t, result, &memory, s, b.utterances + b.start[i], b.start[i + 1] - b.start[i], error);
    result->gradient_norm /= (double)b.count;
    batch_memory_free(&memory);
    batches_free(&b);
    if (failed)
        return -1;
    t->epoch++;
    average_epoch(t);
    return 0;
}
