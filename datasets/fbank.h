/* Log-mel filter-bank features as Kaldi's compute-fbank-feats makes them (Povey et al. 2011), with: 16 kHz,
 * 25 ms frames every 10 ms, only whole frames (snip-edges), DC offset removed, pre-emphasis 0.97, Povey
 * window, power spectrum of 512 points, 80 triangular bins from 20 Hz to 8 kHz, natural logarithm floored at
 * log(2^-23). No dither, no energy column and no energy floor. */
#ifndef DATASETS_FBANK_H
#define DATASETS_FBANK_H

#include "attn/error.h"

#include <stddef.h>

enum { FBANK_RATE = 16000, FBANK_WINDOW = 400, FBANK_SHIFT = 160, FBANK_BINS = 80 };

/* Tables and scratch; one thread at a time. */
typedef struct fbank fbank;

/* Free with fbank_free. NULL and an error when memory is refused. */
fbank *fbank_create(attn_error *error);
void fbank_free(fbank *f); /* NULL is fine */

/* Frames that `samples` samples give: 1 + (samples - 400) / 160, and 0 below one window. */
size_t fbank_frames(size_t samples);

/* Writes out [fbank_frames(count), 80], in nepers of power, from samples [count] of full scale [-1, 1) (taken
 * times 32768, as Kaldi reads 16-bit files). Both are the caller's. Allocates nothing, cannot fail. */
void fbank_compute(fbank *f, float *out, const float *samples, size_t count);

/* The features of a speech file: `*features` [*frames, 80], attn_free it. The errors of audio_read, and a
 * file shorter than one window. `samples` (may be NULL) gets the length of the audio. */
int fbank_read(fbank *f, float **features, size_t *frames, size_t *samples, const char *path,
               attn_error *error);

#endif
