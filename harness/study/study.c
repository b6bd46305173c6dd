#include "harness/study/study.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/process/child_fate.h"
#include "base/process/pool.h"
#include "base/progress.h"
#include "harness/run/measure.h"
#include "harness/study/study_lock.h"
#include "harness/study/study_shard.h"
#include "harness/study/study_work.h"

#include <stdio.h>
#include <string.h>

typedef struct shown_runs {
    study_runs *runs;
    progress shown;
} shown_runs;

/* ---- The pool's pieces are runs ---- */

static int next(void *context) {
    study_runs *r = ((shown_runs *)context)->runs;
    bool waits = false;
    for (size_t i = 0; i < r->count; i++) {
        study_run *run = &r->at[i];
        if (run->state != STUDY_WAITS)
            continue;
        if (run->base == STUDY_NONE || r->at[run->base].state == STUDY_DONE) {
            run->state = STUDY_RUNS;
            progress_running(&((shown_runs *)context)->shown, run->name);
            return (int)i;
        }
        waits = true;
    }
    return waits ? POOL_WAIT : POOL_DONE;
}

static int work(void *context, int piece) {
    const study_runs *r = ((shown_runs *)context)->runs;
    attn_error error = {0};
    if (!study_run_do(r, &r->at[piece], &error))
        return 0;
    fprintf(stderr, "%s\n", error.message);
    return 1;
}

/* What begins with it cannot be. */
static void fail_followers(shown_runs *s, size_t failed) {
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
    shown_runs *s = context;
    study_run *run = &s->runs->at[piece];
    char outcome[600], fate[CHILD_FATE];
    (void)error;
    child_fate(fate, result);
    run->state = result->status ? STUDY_FAILED : STUDY_DONE;
    if (result->status && *result->message)
        snprintf(run->why, sizeof run->why, "%.500s", result->message);
    else if (result->status)
        snprintf(run->why, sizeof run->why, "its process %s", fate);
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
    shown_runs s = {.runs = r};
    const pool p = {jobs, &s, next, work, ended};
    progress_init(&s.shown, r->count - count_state(r, STUDY_ELSEWHERE), count_state(r, STUDY_DONE));
    int failed = pool_run(&p, error);
    progress_clear(&s.shown);
    return failed;
}

/* ---- Profiles, one at a time: nothing else of ours runs then ---- */

/* The first finished run of its shape, with attention. */
static bool stands_for_shape(const study_runs *r, size_t i) {
    if (r->at[i].state != STUDY_DONE || !study_attends(r->at[i].kind))
        return false;
    for (size_t other = 0; other < i; other++)
        if (!strcmp(r->at[other].kind->shape, r->at[i].kind->shape) && stands_for_shape(r, other))
            return false;
    return true;
}

static int profile_all(study_runs *r, attn_error *error) {
    size_t shapes = 0;
    progress shown;
    for (size_t i = 0; i < r->count; i++)
        shapes += stands_for_shape(r, i);
    progress_init(&shown, shapes, 0);
    for (size_t i = 0; i < r->count; i++) {
        if (!stands_for_shape(r, i))
            continue;
        progress_running(&shown, r->at[i].kind->shape);
        if (study_shape_profile(r, &r->at[i], error))
            return -1;
        progress_done(&shown, r->at[i].kind->shape, "time and cache bytes");
    }
    progress_clear(&shown);
    return 0;
}

/* ---- All of it ---- */

static int make_folds(const study_runs *r, attn_error *error) {
    for (size_t f = 0; r->plan->folds && f < r->corpus->speaker_count; f++) {
        char *out = attn_format(error, "%s/folds/without-%s", r->out, r->corpus->speakers[f]);
        int failed = out ? survey_leave_out(r->corpus, out, f, error) : -1;
        attn_free(out);
        if (failed)
            return -1;
    }
    return 0;
}

static int run_and_profile(study *s, const study_request *request, attn_error *error) {
    study_runs *r = &s->runs;
    size_t jobs = request->jobs ? request->jobs : pool_cpus();
    if (study_runs_take_up(r, error) || make_folds(r, error) ||
        (!request->own.count && study_features_tidy(r, error)))
        return -1;
    s->was_done = count_state(r, STUDY_DONE);
    measure_clean_environment();
    child_catch_signals();
    if (run_all(r, jobs < POOL_JOBS_MAX ? jobs : POOL_JOBS_MAX, error) ||
        (!request->own.count && profile_all(r, error)))
        return -1;
    s->failed = count_state(r, STUDY_FAILED);
    return 0;
}

size_t study_own_count(const study *s) {
    return s->runs.count - count_state(&s->runs, STUDY_ELSEWHERE);
}

int study_run_all(study *s, const study_request *request, attn_error *error) {
    study_lock lock;
    int failed =
        attn_make_folder(s->runs.out, error) || study_lock_take(&lock, s->runs.out, &request->own, error);
    if (failed)
        return -1;
    failed = run_and_profile(s, request, error);
    study_lock_drop(&lock);
    return failed;
}

static int read_speech(study *s, const char *folder, attn_error *error) {
    const study_plan *p = &s->plan;
    const char *splits[STUDY_LIST + 3] = {p->train, p->dev};
    size_t count = 2;
    for (size_t i = 0; i < p->tests; i++)
        if (strcmp(p->test[i], p->dev))
            splits[count++] = p->test[i];
    if (survey_read(&s->corpus, folder, splits, error))
        return -1;
    if (p->folds && s->corpus.speaker_count < 2)
        return attn_fail(error, "%s/%s: has one speaker; the plan leaves one out", folder, p->train);
    return 0;
}

int study_open(study *s, const study_request *request, attn_error *error) {
    *s = (study){0};
    return study_plan_read(&s->plan, request->plan, error) || read_speech(s, request->data, error) ||
                   study_runs_make(&s->runs, &s->plan, &s->corpus, request->out, error) ||
                   study_shard_keep(&s->runs, &request->own, error)
               ? -1
               : 0;
}

void study_close(study *s) {
    study_runs_free(&s->runs);
    survey_free(&s->corpus);
    study_plan_free(&s->plan);
}
