/* What one run does, and the profile of one shape. */
#ifndef HARNESS_STUDY_WORK_H
#define HARNESS_STUDY_WORK_H

#include "harness/study/study_runs.h"

/* Trains and evaluates, in processes of their own, and notes that it is done. Goes on where it was stopped. */
int study_run_do(const study_runs *r, const study_run *run, attn_error *error);

/* Removes half-written features of a study that was killed. No other process may be at work in it. */
int study_features_tidy(const study_runs *r, attn_error *error);

/* Time and cache bytes of a finished run's shape, as a stream and whole, into files that are kept. */
int study_shape_profile(const study_runs *r, const study_run *run, attn_error *error);
/* OUT/latency/SHAPE-stream.json or -whole.json; attn_free it. */
char *study_latency_path(const study_runs *r, const study_kind *kind, bool stream, attn_error *error);

#endif
