/* Pictures are made in a folder of their own and then moved to where they belong, so that nothing half-drawn
 * is ever seen there. */
#ifndef REPORTS_PLOTS_STAGING_H
#define REPORTS_PLOTS_STAGING_H

#include "attn/file.h"

/* A new folder below `out` (made too); attn_free it. NULL on failure. */
char *staging_make(const char *out, attn_error *error);
/* Removes it and the files in it. */
void staging_remove(const char *folder);

/* Opens NAME with the extension (".gp") to be written there. */
int staging_open(attn_output *output, const char *folder, const char *name, const char *extension,
                 attn_error *error);

/* NAME with the extension (".svg") goes from one folder to the other. */
int staging_move(const char *from, const char *to, const char *name, const char *extension,
                 attn_error *error);
/* Removes what an earlier report left there; nothing there is fine. */
int staging_remove_old(const char *folder, const char *name, const char *extension, attn_error *error);

#endif
