/* The runs of a study that one shard does. */
#ifndef HARNESS_STUDY_SHARD_H
#define HARNESS_STUDY_SHARD_H

#include "base/shard.h"
#include "harness/study/study_runs.h"

/* All others become STUDY_ELSEWHERE. A run stays with those that begin with its weights; the parts are alike in epochs
 * by size of model. A shard of count 0 keeps all. */
int study_shard_keep(study_runs *r, const shard *own, attn_error *error);

#endif
