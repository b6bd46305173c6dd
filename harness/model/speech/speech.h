/* The utterances of a split: features, transcripts, labels. */
#ifndef HARNESS_MODEL_SPEECH_H
#define HARNESS_MODEL_SPEECH_H

#include "datasets/corpus.h"
#include "datasets/units.h"
#include "harness/model/speech/feature_file.h"

#include <stdint.h>

typedef struct speech {
    corpus corpus; /* ids and transcripts, in the corpus's order */
    size_t count;
    /* Until they are kept, features are NULL, frames and seconds are 0. */
    const float **features; /* [count] of [frames, FBANK_BINS] */
    size_t *frames;         /* [count] */
    double seconds;         /* of audio */
    feature_file file;      /* where the features are; without a map they are in memory */
    int32_t **labels;       /* [count] after speech_label; NULL before */
    size_t *label_counts;
} speech;

/* The split's utterances; opens no audio. input_dim must be the features' width. Free with speech_free, after a failure
 * too. */
int speech_list(speech *s, const char *folder, const char *split, size_t input_dim, attn_error *error);
void speech_free(speech *s);

/* Bytes that the features will take, from the headers of the audio. */
int speech_feature_bytes(double *bytes, const speech *s, attn_error *error);

/* Makes the features of all utterances: into memory, or into a file in `folder` that is mapped. */
int speech_keep(speech *s, const char *folder, const char *split, attn_error *error);

/* speech_list, and features in memory. */
int speech_read(speech *s, const char *folder, const char *split, size_t input_dim, attn_error *error);

/* The transcripts in numbers. */
int speech_label(speech *s, const units *u, attn_error *error);

/* The units that the transcripts are made of. */
int speech_units(const speech *s, units *u, units_kind kind, attn_error *error);

/* Mean and 1 / deviation of each bin over all frames; a deviation below 1e-3 counts as that. */
void speech_moments(const speech *s, float *mean, float *inverse_deviation);

#endif
