/* Features of a split in a file, computed once and mapped: what is read of it the kernel may drop again, so that a corpus
 * need not fit into memory. */
#ifndef HARNESS_MODEL_SPEECH_FEATURE_FILE_H
#define HARNESS_MODEL_SPEECH_FEATURE_FILE_H

#include "datasets/corpus.h"

#include <stddef.h>

typedef struct feature_file {
    void *map; /* NULL: none */
    size_t size;
} feature_file;

/* FOLDER/SPLIT-HASH.features, whose name tells apart what its content depends on: ids, paths, sizes and times of the audio.
 * Makes it (and the folder) where it is not there; features go to it utterance by utterance. Sets features[i], which lead
 * into the map, frames[i] and the samples of all audio. Close it with feature_file_close, after a failure too. */
int feature_file_open(feature_file *f, const char *folder, const char *split, const corpus *c,
                      const float **features, size_t *frames, size_t *samples, attn_error *error);
void feature_file_close(feature_file *f);

#endif
