/* The runs of a study, each in a folder of its own, and what one does. */
#ifndef HARNESS_STUDY_RUNS_H
#define HARNESS_STUDY_RUNS_H

#include "base/text/hash.h"
#include "datasets/survey.h"
#include "harness/study/study_plan.h"

typedef enum study_state {
    STUDY_WAITS,
    STUDY_RUNS,
    STUDY_DONE,
    STUDY_FAILED,
    STUDY_ELSEWHERE /* of another shard */
} study_state;

typedef struct study_run {
    char name[STUDY_NAME + 32]; /* KIND-sSEED[-without-SPEAKER]: its folder below OUT/runs */
    const study_kind *kind;
    uint64_t seed;
    size_t speaker; /* that is left out; STUDY_NONE: none */
    size_t base;    /* the run that it begins with; STUDY_NONE: nothing */
    study_state state;
    char why[512]; /* it failed */
} study_run;

typedef struct study_runs {
    const study_plan *plan;
    const corpus_survey *corpus;
    const char *out;
    char *program;
    study_run *at;
    size_t count;
} study_runs;

/* Every kind with every seed, and without each speaker where the plan has folds; a run comes after the one that it begins
 * with. Free with study_runs_free, after a failure too. */
int study_runs_make(study_runs *r, const study_plan *p, const corpus_survey *c, const char *out,
                    attn_error *error);
void study_runs_free(study_runs *r);

/* What was finished before, of this shard, becomes STUDY_DONE. An error when it was of another plan or other speech. */
int study_runs_take_up(study_runs *r, attn_error *error);

/* Of all that its bits depend on; done.txt holds it. */
void study_run_identity(char name[HASH_NAME], const study_runs *r, const study_run *run);

/* OUT/runs/NAME/FILE; attn_free it. */
char *study_run_path(const study_runs *r, const study_run *run, const char *file, attn_error *error);

/* The nth split that the run is judged on; attn_free *split, which is NULL beyond the last. *is_dev: it is the plan's dev,
 * and the plan has other tests. Without folds dev is heard even where the plan does not list it as a test. */
int study_run_split(char **split, bool *is_dev, const study_runs *r, const study_run *run, size_t n,
                    attn_error *error);

#endif
