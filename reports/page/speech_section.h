/* What `attnbench profile-kv --format json` measured on speech, as a table and a part of the page. */
#ifndef REPORTS_PAGE_SPEECH_SECTION_H
#define REPORTS_PAGE_SPEECH_SECTION_H

#include "base/text/table.h"

#include <stdio.h>

typedef struct speech_profiles {
    json_t *files; /* array of what was read; NULL: nothing was given */
    table models;  /* a row a model */
} speech_profiles;

/* Adds a file, whose models must have what the table shows. */
int speech_profiles_read(speech_profiles *p, const char *path, attn_error *error);
void speech_profiles_free(speech_profiles *p);

/* How the models were measured: a paragraph for each setting. */
void speech_settings(FILE *out, const speech_profiles *p);

#endif
