/* Whether a WAV file is whole: libsndfile reads what is left of one that was cut short, and does not say so. */
#ifndef DATASETS_WAV_H
#define DATASETS_WAV_H

#include "attn/error.h"

/* An error when the file ends before its samples do. A size that stands for an unknown one, as programs write it into a
 * pipe, is fine, and so is a file that is no RIFF. */
int wav_check_whole(const char *path, attn_error *error);

#endif
