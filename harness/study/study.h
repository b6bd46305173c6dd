/* A study: every run of a plan, several at once, then the profiles, then one JSON object of it all. */
#ifndef HARNESS_STUDY_H
#define HARNESS_STUDY_H

#include "harness/study/study_plan.h"

#include <jansson.h>

typedef struct study_request {
    const char *plan; /* a name or a file */
    const char *data; /* the corpus */
    const char *out;  /* a folder; goes on where it was */
    size_t jobs;      /* 0: as many as there are CPUs */
    bool list;        /* only print the names of the runs */
} study_request;

typedef struct study_outcome {
    size_t runs, failed, was_done;
    json_t *results; /* docs/study.md; json_decref it */
} study_outcome;

/* A run that fails is noted in the results, with what it said, and those that begin with it fail too. */
int study_make(study_outcome *outcome, const study_request *request, attn_error *error);

#endif
