/* The utterances of all runs of one kind, errors and losses summed over its seeds. Private to study_*.c. */
#ifndef REPORTS_STUDY_POOL_H
#define REPORTS_STUDY_POOL_H

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Which part of the speech results are of. */
typedef enum study_heard {
    STUDY_TEST, /* the test splits, without dev where that is another one */
    STUDY_DEV,  /* dev, which judges each epoch */
    STUDY_DEV_AND_TEST,
    STUDY_TEST_STREAM /* the test splits, in chunks */
} study_heard;
bool study_is_heard(const json_t *evaluation, study_heard heard);

typedef struct study_pool {
    size_t count; /* utterances; two splits' of one name are two */
    double *errors, *words, *losses;
    double *times;  /* how often each was heard: by how many runs */
    json_t *places; /* {key: index} */
    size_t runs;
} study_pool;

/* Of the runs of that kind. Free with study_pool_free, after a failure too. */
int study_pool_make(study_pool *p, const json_t *runs, const char *kind, study_heard heard,
                    attn_error *error);
void study_pool_free(study_pool *p);

/* Adds wer_percent, wer_low_percent, wer_high_percent and loss to the row. */
int study_pool_describe(const study_pool *p, json_t *row, attn_error *error);

/* Adds what sets it apart from the other one on the utterances of both: wer_change, its interval and p, loss_change, its
 * interval and p. */
int study_pool_compare(const study_pool *p, const study_pool *reference, json_t *row, attn_error *error);

#endif
