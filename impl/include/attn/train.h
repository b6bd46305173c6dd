/* Training: gradients of the CTC loss, and what makes steps of them.
 *
 *   CTC      Graves et al. 2006, sections 3 and 4
 *   AdamW    Loshchilov and Hutter 2019, algorithm 2 (Adam: Kingma and Ba 2015)
 *   SpecAugment  Park et al. 2019, section 2 (time and frequency masks)
 *
 * A gradient is an attn_model of its own (attn_model_like): the gradient of the tensor NAME is its tensor NAME.
 * So is each moment of the optimiser. */
#ifndef ATTN_TRAIN_H
#define ATTN_TRAIN_H

#include "attn/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attn_train_batch {
    const float *x; /* [utterances, frames, input_dim] */
    size_t utterances, frames;
    const size_t *lengths;      /* [utterances] valid input frames; NULL: all. Padding is not read. */
    const int32_t *labels;      /* token numbers, 1 .. vocab_size - 1, utterance after utterance */
    const size_t *label_counts; /* [utterances] */
} attn_train_batch;

typedef struct attn_train_options {
    double dropout;        /* probability; 0: none */
    uint64_t seed, step;   /* of dropout: the same seed and step give the same bits */
    bool fixed_statistics; /* BatchNorm by its running statistics, not by the batch's */
    /* Keep each block's input only, and run the block again on the way back: the same bits for less memory. */
    bool checkpoint_activations;
    /* Keep what blocks leave for the way back (with checkpoints: their inputs) in bf16, all but the last one's. The
     * loss stays as it is; gradients are those of rounded activations. Less memory, not less time. */
    bool bf16_activations;
} attn_train_options;

typedef struct attn_train_result {
    double loss; /* of the utterances that can be aligned, over the number of utterances */
    /* Utterances with more labels (and blanks between equal ones) than frames: loss and gradient 0. */
    size_t infeasible;
    double *losses; /* caller's [utterances] or NULL: of each */
} attn_train_result;

/* 0 where the passes below know the model's type of attention; else ATTN_ERROR_UNSUPPORTED and a message that names it.
 * They take models that passed this only. */
int attn_train_check(const attn_config *config, attn_error *error);

/* Bytes of workspace that attn_train_gradients needs for this batch, with as many threads in use (attn/threads.h) as
 * now: measured by a dry run of its layout. */
size_t attn_train_bytes(const attn_model *model, const attn_train_batch *batch,
                        const attn_train_options *options);

/* Training mode's forward and backward pass. Adds the gradient of `loss` to every parameter of `gradient`,
 * and sets its running_mean and running_var to the mean and the unbiased variance of the batch. NULL: the
 * forward pass alone, for the loss. The threads in use share it; the bits are those of their number. Cannot
 * fail; the workspace is 64-byte aligned, the model must have an output layer. */
void attn_train_gradients(attn_model *gradient, const attn_model *model, const attn_train_batch *batch,
                          const attn_train_options *options, void *workspace, attn_train_result *result);

/* CTC of one utterance: -ln p(labels | logits [frames, vocab]), blank 0; 0 for one that cannot be aligned
 * (*feasible, may be NULL). dlogits (NULL: not wanted) = factor times its gradient. The workspace holds
 * attn_train_ctc_bytes, and is aligned for doubles. */
size_t attn_train_ctc_bytes(size_t frames, size_t vocab, size_t labels);
double attn_train_ctc(float *dlogits, double factor, const float *logits, size_t frames, size_t vocab,
                      const int32_t *labels, size_t label_count, void *workspace, bool *feasible);

/* Frames that an alignment of the labels needs: one each, and a blank between equal neighbours. */
size_t attn_train_ctc_least_frames(const int32_t *labels, size_t count);

/* ---- Models as vectors ---- */

/* A model of the same tensors, all 0. Free with attn_model_free. */
int attn_model_like(attn_model **made, const attn_model *model, attn_error *error);

/* Weights to train from scratch: attn_model_randomize, and
 *   CSGU's convolutions near 0 with biases of 1, so that the gate begins open (Peng et al. 2022, section 3.3, after
 *   Liu et al. 2021);
 *   the output layer's biases 0 and that of blank ln(0.8 (vocab_size - 1) / 0.2), so that blank begins with a
 *   probability of about 0.8 (as for a frequent class in Lin et al. 2017, section 3.3).
 * The same seed, the same weights. */
void attn_model_initialize(attn_model *model, uint64_t seed);

/* One trained tensor, or a stack of tensors that share memory. */
typedef struct attn_parameter {
    char name[64]; /* of the first of a stack */
    float *data;
    size_t count;
    bool decays; /* takes weight decay: two axes or more. Vectors, biases and norms do not. */
} attn_parameter;

/* Every trained tensor of a model in order: not running statistics, not global_cmvn. The same list, place by
 * place, for models of the same tensors. Free with attn_parameters_free. */
typedef struct attn_parameters {
    attn_parameter *at;
    size_t count;
} attn_parameters;
int attn_parameters_list(attn_parameters *list, attn_model *model, attn_error *error);
/* The same with running statistics and global_cmvn: all that a checkpoint has. */
int attn_tensors_list(attn_parameters *list, attn_model *model, attn_error *error);
void attn_parameters_free(attn_parameters *list); /* a zeroed one is fine too */

/* Writes the trained tensors under their names and shapes in checkpoints. */
int attn_gradient_save(attn_model *gradient, const char *path, attn_error *error);

void attn_parameters_clear(const attn_parameters *list);
/* sqrt of the sum of all squares, summed in double in order: the same bits each time. */
double attn_parameters_norm(const attn_parameters *list);
/* Scales so that the norm is at most `limit` (0: no limit); returns the norm before. */
double attn_parameters_clip(const attn_parameters *list, double limit);
/* average += (model - average) / count: the mean of `count` models after as many calls, count = 1, 2, .. */
void attn_parameters_average(const attn_parameters *average, const attn_parameters *model, size_t count);

/* BatchNorm: running = (1 - momentum) running + momentum batch, `gradient` after attn_train_gradients. */
void attn_train_update_statistics(attn_model *model, const attn_model *gradient, double momentum);

/* ---- Steps ---- */

typedef struct attn_adamw {
    double learning_rate, beta1, beta2, eps, weight_decay;
} attn_adamw;

/* Step number `step` (1, 2, ..) of AdamW: m and v are updated, then
 * w -= lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay w where the tensor decays). */
void attn_adamw_step(const attn_parameters *w, const attn_parameters *gradient, const attn_parameters *m,
                     const attn_parameters *v, const attn_adamw *options, uint64_t step);

/* Linear warm-up to `peak` over `warmup` steps, then linear decay that would reach floor * peak at step
 * `total`. step is 1, 2, .. */
double attn_learning_rate(double peak, uint64_t step, uint64_t warmup, uint64_t total, double floor);

typedef struct attn_spec_augment {
    size_t frequency_masks, frequency_width; /* masks, and the most bins of one */
    size_t time_masks, time_width;           /* masks, and the most frames of one */
    double time_share;                       /* and at most this share of the utterance's frames */
} attn_spec_augment;

/* Masks x [frames, width] in place: a masked value becomes fill[bin] (NULL: 0). The bits are those of (seed,
 * step, utterance). */
void attn_spec_augment_apply(float *x, size_t frames, size_t width, const float *fill,
                             const attn_spec_augment *options, uint64_t seed, uint64_t step,
                             uint64_t utterance);

#ifdef __cplusplus
}
#endif
#endif
