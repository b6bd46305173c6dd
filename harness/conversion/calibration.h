/* Features from a file or a corpus, side by side, for what is to be measured on real inputs. */
#ifndef HARNESS_CONVERSION_CALIBRATION_H
#define HARNESS_CONVERSION_CALIBRATION_H

#include "attn/convert.h"

typedef struct calibration_source {
    const char *npy_option, *npy; /* the option's name, and X.npy: all of it; NULL: not given */
    const char *data, *split;     /* a corpus */
    size_t max_frames; /* of a corpus: enough utterances for this many frames after the input layer */
} calibration_source;

typedef struct calibration {
    attn_calibration at; /* x NULL when the source names nothing */
    float *x;            /* [B, T, input_dim], zeros beyond an utterance's length */
    size_t *lengths;
    size_t frames; /* valid ones, after the input layer */
} calibration;

/* Utterances of a corpus are taken from all over it. Errors name the file, or the option. */
int calibration_read(calibration *c, const calibration_source *source, const attn_config *config,
                     attn_error *error);
void calibration_free(calibration *c);

#endif
