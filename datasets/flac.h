/* FLAC samples through libFLAC, which compares them with the MD5 that the encoder left in the file. */
#ifndef DATASETS_FLAC_H
#define DATASETS_FLAC_H

#include "attn/error.h"

#include <stddef.h>

/* Decodes a mono file. `samples` gets `count` floats, full scale [-1, 1); attn_free them. An error names the
 * file: a damaged frame, fewer samples than the header says, or samples that do not have the stored MD5 (one
 * of zeros means that none was stored). */
int flac_read(float **samples, size_t *count, const char *path, attn_error *error);

#endif
