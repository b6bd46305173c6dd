/* Folders for files that nobody keeps. */
#ifndef BASE_PROCESS_SCRATCH_H
#define BASE_PROCESS_SCRATCH_H

#include "attn/error.h"

/* A new folder below TMPDIR, or /tmp; NULL and an error when none can be made. attn_free it. */
char *scratch_make(attn_error *error);

/* With the files in it, but not folders. NULL is fine. */
void scratch_remove(const char *folder);

#endif
