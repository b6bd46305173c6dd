/* Speech files in: mono, 16 kHz, as floats. Nothing is resampled or mixed down behind the caller's back. */
#ifndef DATASETS_AUDIO_H
#define DATASETS_AUDIO_H

#include "attn/error.h"

#include <stddef.h>

enum { AUDIO_RATE = 16000 };

typedef struct audio {
    float *samples; /* full scale is [-1, 1): 16-bit samples divided by 32768. attn_free it */
    size_t count;
} audio;

/* Reads a FLAC or WAV file. An error names the file: not audio, a rate other than AUDIO_RATE, more than one
 * channel, no samples, samples that are not finite or beyond 100 times full scale, fewer samples than its
 * header says, and for FLAC samples that do not have its MD5. */
int audio_read(audio *a, const char *path, attn_error *error);

/* Only the header: the same errors as far as it shows them. `count` gets the samples that it claims, 0 when
 * it does not say. */
int audio_check(size_t *count, const char *path, attn_error *error);

#endif
