/* What the splits of a corpus hold, and corpora of links that leave one speaker out. */
#ifndef DATASETS_SURVEY_H
#define DATASETS_SURVEY_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

enum { SURVEY_SPLITS = 20 };

typedef struct survey_split {
    const char *name;
    size_t utterances, speakers;
    double seconds;
} survey_split;

typedef struct corpus_survey {
    const char *folder;
    survey_split splits[SURVEY_SPLITS];
    size_t count;
    char *synthetic; /* what made the speech; NULL: nobody says that it is synthetic */
    char **speakers; /* of the first split, sorted */
    size_t speaker_count;
    uint64_t identity; /* of utterances and transcripts */
} corpus_survey;

/* Reads what these splits hold (NULL-terminated; the first is what models learn). The texts outlive the survey. Free with
 * survey_free, after a failure too. */
int survey_read(corpus_survey *s, const char *folder, const char *const *splits, attn_error *error);
void survey_free(corpus_survey *s);

/* Makes OUT, a corpus of links: the first split without the speaker, and those of survey_held_out with the speaker
 * alone. */
int survey_leave_out(const corpus_survey *s, const char *out, size_t speaker, attn_error *error);

/* The nth split that is heard then, "held-out-SPLIT" of each that the speaker is in, the first one first: attn_free *split,
 * which is NULL beyond the last. */
int survey_held_out(char **split, const corpus_survey *s, size_t speaker, size_t n, attn_error *error);

#endif
