/* A run of profile-kv: what is measured, and the sums. Private to profile*.c. */
#ifndef HARNESS_MODEL_PROFILE_RUN_H
#define HARNESS_MODEL_PROFILE_RUN_H

#include "harness/machine/sgemm_rate.h"
#include "harness/model/profile_input.h"
#include "harness/model/profile_plan.h"
#include "harness/model/profile_watch.h"

#include <jansson.h>

#define PROFILE_TOLERANCE 1e-4 /* of the largest output of the scalar reference */

/* One utterance. */
typedef struct measurement {
    size_t peak_memory; /* of a process that kept it in a journal */
    size_t kv_formula, kv_live, conv_formula, conv_live, workspace, positions;
    double flops;
    double output_rms;                   /* root mean square of the model's output */
    double parts[ATTN_PARTS];            /* seconds of each part of the model, over the timed runs */
    double *seconds, *cpu, *first_chunk; /* [runs] */
    size_t disturbed;                    /* of the runs */
    double *chunks;                      /* seconds of its full chunks in all runs, in the watch's list */
    size_t chunk_count;
} measurement;

/* A number of each utterance. */
typedef enum profile_series {
    SERIES_SECONDS,
    SERIES_CPU,
    SERIES_RTF,
    SERIES_FIRST_CHUNK,
    SERIES_SHARE, /* of the first part; those of the others follow */
    PROFILE_SERIES = SERIES_SHARE + ATTN_PARTS
} profile_series;

typedef struct sums {
    double *series[PROFILE_SERIES]; /* [count] */
    double audio, features, flops, parts[ATTN_PARTS];
    double passed, ran; /* seconds of all timed runs: wall clock, and CPU time */
    size_t disturbed;   /* runs */
    size_t frames, output_frames, kv_formula, kv_live, largest_kv_live, conv_formula, conv_live;
    size_t largest_conv_live, workspace, positions;
    size_t kv_differing, conv_differing; /* utterances where formula and live are not the same */
} sums;

typedef struct profiler {
    const profile_plan *plan;
    attn_threads *threads;
    attn_model *model;
    const attn_config *config;
    const char *config_path;
    fbank *extractor;
    json_t *utterances;
    sums sums;
    profile_watch watch;
    /* The comparison with the scalar reference. The limit of its error allows for what rounding to the cache's type
     * may change. */
    size_t checked_frames;
    double check_limit, check_error; /* as parts of the largest output */
    sgemm_rate sgemm;
    size_t peak_before; /* largest peak memory of processes that were killed */
    attn_error *error;
} profiler;

/* Adds the measurement to the sums, and the utterance's object to the list. */
int profile_record(profiler *p, size_t index, const profile_input *in, const measurement *m);

/* An utterance in the plan's journal: whether it is there (never without a journal), what it was, and that it is now
 * (nothing is done without a journal). */
bool profile_step_is_kept(const profiler *p, size_t index);
int profile_step_take(profiler *p, size_t index, profile_input *in, measurement *m);
int profile_step_keep(profiler *p, size_t index, profile_input *in, measurement *m);

/* What profile-kv prints; NULL and an error when memory is short. */
json_t *profile_result(profiler *p);

/* The model as JSON. */
json_t *profile_model_json(const attn_model *model);

/* Largest resident memory so far in bytes; 0 when unknown. */
size_t profile_peak_memory(void);

#endif
