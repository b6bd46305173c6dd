#include "harness/study/study.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/process/pool.h"
#include "base/progress.h"
#include "harness/run/measure.h"
#include "harness/study/study_result.h"
#include "harness/study/study_work.h"

#include <stdio.h>
#include <string.h>

typedef struct study {
    study_runs *runs;
    progress shown;
} study;

/* ---- The pool's pieces are runs ---- */

static int next(void *context) {
    study_runs *r = ((study *)context)->runs;
    bool waits = false;
    for (size_t i = 0; i < r->count; i++) {
        study_run *run = &r->at[i];
        if (run->state != STUDY_WAITS)
            continue;
        if (run->base == STUDY_NONE || r->at[run->base].state == STUDY_DONE) {
            run->state = STUDY_RUNS;
            progress_running(&((study *)context)->shown, run->name);
            return (int)i;
        }
        waits = true;
    }
    return waits ? POOL_WAIT : POOL_DONE;
}

static int work(void *context, int piece) {
    const study_runs *r = ((study *)context)->runs;
    attn_error error = {0};
    if (!study_run_do(r, &r->at[piece], &error))
        return 0;
    fprintf(stderr, "%s\n", error.message);
    return 1;
}

/* What begins with it cannot be. */
static void fail_followers(study *s, size_t failed) {
    for (size_t i = failed + 1; i < s->runs->count; i++) {
        study_run *run = &s->runs->at[i];
        if (run->base != failed || run->state != STUDY_WAITS)
            continue;
        run->state = STUDY_FAILED;
        snprintf(run->why, sizeof run->why, "%.200s, which it begins with, failed", s->runs->at[failed].name);
        progress_done(&s->shown, run->name, run->why);
    }
}

static int ended(void *context, int piece, const child_result *result, attn_error *error) {
    study *s = context;
    study_run *run = &s->runs->at[piece];
    char outcome[600];
    (void)error;
    run->state = result->status ? STUDY_FAILED : STUDY_DONE;
    if (result->status && *result->message)
        snprintf(run->why, sizeof run->why, "%.500s", result->message);
    else if (result->status)
        snprintf(run->why, sizeof run->why, "its process ended by signal %d", result->signal);
    snprintf(outcome, sizeof outcome, "%s%s", result->status ? "FAILED: " : "done", run->why);
    progress_clear(&s->shown);
    if (result->status && s->shown.terminal)
        fprintf(stderr, "%s: %s\n", run->name, outcome);
    progress_done(&s->shown, run->name, outcome);
    if (run->state == STUDY_FAILED)
        fail_followers(s, (size_t)piece);
    return 0;
}

static size_t count_state(const study_runs *r, study_state state) {
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        count += r->at[i].state == state;
    return count;
}

static int run_all(study_runs *r, size_t jobs, attn_error *error) {
    study s = {.runs = r};
    const pool p = {jobs, &s, next, work, ended};
    progress_init(&s.shown, r->count, count_state(r, STUDY_DONE));
    int failed = pool_run(&p, error);
    progress_clear(&s.shown);
    return failed;
}

/* ---- Profiles, one at a time: nothing else of ours runs then ---- */

static bool profiled_before(const study_runs *r, size_t i) {
    for (size_t other = 0; other < i; other++)
        if (r->at[other].state == STUDY_DONE && r->at[other].kind->origin != STUDY_NO_ATTENTION &&
            !strcmp(r->at[other].kind->shape, r->at[i].kind->shape))
            return true;
    return false;
}

static int profile_all(study_runs *r, attn_error *error) {
    fprintf(stderr, "attnbench study: time and cache bytes of each model, one at a time\n");
    for (size_t i = 0; i < r->count; i++)
        if (r->at[i].state == STUDY_DONE && r->at[i].kind->origin != STUDY_NO_ATTENTION &&
            !profiled_before(r, i) && study_shape_profile(r, &r->at[i], error))
            return -1;
    return 0;
}

/* ---- All of it ---- */

static int make_folds(const study_runs *r, attn_error *error) {
    for (size_t f = 0; r->plan->folds && f < r->corpus->count; f++) {
        char *out = attn_format(error, "%s/folds/without-%s", r->out, r->corpus->speakers[f]);
        int failed = out ? study_fold_make(r->corpus, out, f, r->plan, error) : -1;
        attn_free(out);
        if (failed)
            return -1;
    }
    return 0;
}

static int list_runs(const study_runs *r) {
    for (size_t i = 0; i < r->count; i++)
        puts(r->at[i].name);
    return 0;
}

static int make(study_outcome *outcome, study_runs *r, const study_request *request, attn_error *error) {
    size_t jobs = request->jobs ? request->jobs : pool_cpus();
    if (attn_make_folder(r->out, error) || study_runs_take_up(r, error) || make_folds(r, error))
        return -1;
    outcome->was_done = count_state(r, STUDY_DONE);
    measure_clean_environment();
    child_catch_signals();
    if (run_all(r, jobs < POOL_JOBS_MAX ? jobs : POOL_JOBS_MAX, error) || profile_all(r, error))
        return -1;
    outcome->runs = r->count;
    outcome->failed = count_state(r, STUDY_FAILED);
    outcome->results = study_results(r, error);
    return outcome->results ? 0 : -1;
}

int study_make(study_outcome *outcome, const study_request *request, attn_error *error) {
    study_plan plan = {0};
    study_corpus corpus = {0};
    study_runs runs = {0};
    *outcome = (study_outcome){0};
    int failed = study_plan_read(&plan, request->plan, error) ||
                 study_corpus_read(&corpus, request->data, &plan, error) ||
                 study_runs_make(&runs, &plan, &corpus, request->out, error);
    if (!failed)
        failed = request->list ? list_runs(&runs) : make(outcome, &runs, request, error);
    study_runs_free(&runs);
    study_corpus_free(&corpus);
    study_plan_free(&plan);
    return failed ? -1 : 0;
}
