/* The speech of a study: how much of it there is, who speaks, and folders that leave a speaker out. */
#ifndef HARNESS_STUDY_CORPUS_H
#define HARNESS_STUDY_CORPUS_H

#include "attn/error.h"
#include "harness/study/study_plan.h"

#include <jansson.h>

typedef struct study_corpus {
    const char *folder;
    json_t *splits;  /* [{split, utterances, speakers, seconds}] */
    char *synthetic; /* what made the speech; NULL: nobody says that it is synthetic */
    char **speakers; /* of the training split, sorted */
    size_t count;
    uint64_t identity; /* of utterances and transcripts */
} study_corpus;

/* Reads what the splits of the plan hold. Free with study_corpus_free, after a failure too. */
int study_corpus_read(study_corpus *c, const char *folder, const study_plan *p, attn_error *error);
void study_corpus_free(study_corpus *c);

/* Makes OUT, a corpus of links: the training split without the speaker, and the splits of study_fold_split with the
 * speaker alone. */
int study_fold_make(const study_corpus *c, const char *out, size_t speaker, const study_plan *p,
                    attn_error *error);

/* The nth split that a fold is judged on ("held-out-train" and, where the speaker is in them, those of development and
 * tests): attn_free *split, which is NULL beyond the last. */
int study_fold_split(char **split, const study_corpus *c, size_t speaker, const study_plan *p, size_t n,
                     attn_error *error);

#endif
