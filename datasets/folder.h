/* What is in a folder of a corpus: folders, audio that can be read, and audio that cannot. */
#ifndef DATASETS_FOLDER_H
#define DATASETS_FOLDER_H

#include "attn/error.h"

#include <stddef.h>

typedef enum folder_kind {
    FOLDER_FOLDERS,
    FOLDER_AUDIO,      /* .flac and .wav, in any case */
    FOLDER_OTHER_AUDIO /* by their endings: what gets a message of its own */
} folder_kind;

typedef struct folder_names {
    char **items;
    size_t count;
} folder_names;

/* The names of a kind in a folder, sorted byte by byte; audio by id. Names that start with a dot are skipped.
 * Free with folder_free, which takes a zeroed one too. */
int folder_read(folder_names *n, const char *folder, folder_kind kind, attn_error *error);
void folder_free(folder_names *n);

/* Length of an audio file's id: its name without the ending. */
size_t folder_id_length(const char *file);
/* The audio file of that id, or NULL. */
const char *folder_find(const folder_names *audio, const char *id);

#endif
