/* What `attnbench profile-kv --format json` measured on speech, as a table. */
#ifndef REPORTS_DATA_SPEECH_PROFILES_H
#define REPORTS_DATA_SPEECH_PROFILES_H

#include "base/text/table.h"

typedef struct speech_profiles {
    json_t *files;     /* array of what was read; NULL: nothing was given */
    text_table models; /* a row a model */
} speech_profiles;

/* Adds a file, whose models must have what the table shows. */
int speech_profiles_read(speech_profiles *p, const char *path, attn_error *error);
void speech_profiles_free(speech_profiles *p);

/* How the models of each file were measured: a list of texts. NULL when memory is short. */
json_t *speech_settings(const speech_profiles *p);

#endif
