/* A study: every run of a plan, several at once, then the profiles. */
#ifndef HARNESS_STUDY_H
#define HARNESS_STUDY_H

#include "base/shard.h"
#include "harness/study/study_runs.h"

typedef struct study_request {
    const char *plan; /* a name or a file */
    const char *data; /* the corpus */
    const char *out;  /* a folder; goes on where it was */
    size_t jobs;      /* 0: as many as there are CPUs */
    shard own;        /* only this part of the runs, and no profiles; count 0: all */
} study_request;

typedef struct study {
    study_plan plan;
    corpus_survey corpus;
    study_runs runs; /* points to the other two: a study stays where it is */
    size_t failed, was_done;
} study;

/* Reads plan and speech. Free with study_close, after a failure too. */
int study_open(study *s, const study_request *request, attn_error *error);
void study_close(study *s);

/* Runs of this shard. */
size_t study_own_count(const study *s);

/* Does what is not done yet. A run that fails has its state and what it said, and so have those that begin with it. */
int study_run_all(study *s, const study_request *request, attn_error *error);

#endif
