/* What a plan of a study holds. A kind is what is compared: a model, its attention and its size, and where its weights come from. A run is one
 * training of a kind: a seed, and a speaker that is left out where the plan has folds. */
#ifndef HARNESS_STUDY_KIND_H
#define HARNESS_STUDY_KIND_H

#include "attn/config.h"
#include "attn/convert.h"

#include <stdbool.h>

typedef enum study_origin {
    STUDY_SCRATCH,
    STUDY_CONVERTED,        /* of a trained mha, and no more */
    STUDY_FINE_TUNED,       /* converted, then trained */
    STUDY_PROGRESSIVE,      /* the same step by step, to smaller and smaller latents */
    STUDY_CONTROL,          /* the mha trained as much longer */
    STUDY_NO_ATTENTION,     /* the trained mha with its attention switched off */
    STUDY_WITHOUT_ATTENTION /* from scratch, and attention contributes nothing from the start */
} study_origin;
extern const char *const study_origin_names[]; /* NULL-terminated */

enum {
    STUDY_NAME = 200,
    STUDY_SHAPE = 140,
    STUDY_MODEL = 100,
    STUDY_LIST = 16,       /* most seeds, splits, or steps of a schedule */
    STUDY_RUNS_MAX = 16384 /* so that a slip of the pen is found before a month is gone */
};
static const size_t STUDY_NONE = (size_t)-1;

typedef struct study_kind {
    char name[STUDY_NAME];   /* MODEL-ATTENTION[-SIZE]-ORIGIN[-eEPOCHS][-lrRATE] */
    char shape[STUDY_SHAPE]; /* MODEL-ATTENTION[-SIZE]: what time and bytes depend on */
    char model[STUDY_MODEL];
    study_origin origin;
    char *yaml;         /* the configuration: its own, or that of the mha that it begins with */
    attn_config config; /* of the model that comes out */
    attn_convert_method method;
    size_t epochs;                      /* of a schedule: of each step */
    double learning_rate;               /* 0: the configuration's */
    size_t schedule[STUDY_LIST], steps; /* falling latent_dims; the last one is the model's */
    size_t base;                        /* the mha from scratch that it begins with; STUDY_NONE: nothing */
} study_kind;

typedef struct study_latency {
    size_t frames, chunk, runs; /* input frames; after the input layer; timed runs */
    long left_chunks;
} study_latency;

typedef struct study_plan {
    char *name, *summary;
    char *train, *dev;
    char *test[STUDY_LIST];
    size_t tests;
    uint64_t seeds[STUDY_LIST];
    size_t seed_count;
    char *units;
    bool folds;              /* leave one speaker out */
    size_t stream_chunk;     /* also hear the test splits as streams; 0: no */
    long stream_left_chunks; /* of them; -1: all */
    study_latency latency;
    size_t tune_epochs;
    double tune_learning_rate;
    study_kind *kinds;
    size_t count;
} study_plan;

/* Whether the attention of the model contributes anything. */
bool study_attends(const study_kind *kind);

/* Whether dev is among the plan's tests. */
bool study_plan_tests_dev(const study_plan *p);

/* Whether it is tuned with a learning rate that is not the plan's. */
bool study_has_own_rate(const study_plan *p, const study_kind *kind);

/* Epochs that the weights of the kind have seen in all. */
size_t study_kind_epochs(const study_plan *p, const study_kind *kind);

#endif
