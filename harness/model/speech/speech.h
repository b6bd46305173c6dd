/* The utterances of a split in memory: features, transcripts, labels. */
#ifndef HARNESS_MODEL_SPEECH_H
#define HARNESS_MODEL_SPEECH_H

#include "datasets/corpus.h"
#include "datasets/units.h"

#include <stdint.h>

typedef struct speech {
    corpus corpus; /* ids and transcripts, in the corpus's order */
    size_t count;
    float **features; /* [count] of [frames, FBANK_BINS] */
    size_t *frames;   /* [count] */
    double seconds;   /* of audio */
    int32_t **labels; /* [count] after speech_label; NULL before */
    size_t *label_counts;
} speech;

/* Reads the split's audio and makes features of it. input_dim must be the features' width. Free with speech_free,
 * after a failure too. */
int speech_read(speech *s, const char *folder, const char *split, size_t input_dim, attn_error *error);
void speech_free(speech *s);

/* The transcripts in numbers. */
int speech_label(speech *s, const units *u, attn_error *error);

/* The units that the transcripts are made of. */
int speech_units(const speech *s, units *u, units_kind kind, attn_error *error);

/* Mean and 1 / deviation of each bin over all frames; a deviation below 1e-3 counts as that. */
void speech_moments(const speech *s, float *mean, float *inverse_deviation);

#endif
