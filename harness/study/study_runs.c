#include "harness/study/study_runs.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/append.h"
#include "base/text/hash.h"
#include "harness/run/measure.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static size_t find_run(const study_runs *r, const study_kind *kind, uint64_t seed, size_t speaker) {
    for (size_t i = 0; i < r->count; i++)
        if (r->at[i].kind == kind && r->at[i].seed == seed && r->at[i].speaker == speaker)
            return i;
    return STUDY_NONE;
}

/* Kinds that begin with another one come after it in the plan. */
static void add_run(study_runs *r, const study_kind *kind, uint64_t seed, size_t speaker) {
    study_run run = {.kind = kind, .seed = seed, .speaker = speaker, .base = STUDY_NONE};
    snprintf(run.name, sizeof run.name, "%s-s%" PRIu64, kind->name, seed);
    if (speaker != STUDY_NONE)
        text_append(run.name, sizeof run.name, "-without-%s", r->corpus->speakers[speaker]);
    if (kind->base != STUDY_NONE)
        run.base = find_run(r, &r->plan->kinds[kind->base], seed, speaker);
    r->at[r->count++] = run;
}

int study_runs_make(study_runs *r, const study_plan *p, const corpus_survey *c, const char *out,
                    attn_error *error) {
    size_t folds = p->folds ? c->speaker_count : 1, most = p->count * p->seed_count * folds;
    *r = (study_runs){.plan = p, .corpus = c, .out = out};
    if (most > STUDY_RUNS_MAX)
        return attn_fail(error, "%s: %zu runs, more than %d", p->name, most, STUDY_RUNS_MAX);
    r->at = attn_alloc(most, sizeof *r->at, "runs", error);
    r->program = measure_program(error);
    if (!r->at || !r->program)
        return -1;
    for (size_t s = 0; s < p->seed_count; s++)
        for (size_t f = 0; f < folds; f++)
            for (size_t k = 0; k < p->count; k++)
                add_run(r, &p->kinds[k], p->seeds[s], p->folds ? f : STUDY_NONE);
    return 0;
}

void study_runs_free(study_runs *r) {
    attn_free(r->at);
    attn_free(r->program);
    *r = (study_runs){0};
}

char *study_run_path(const study_runs *r, const study_run *run, const char *file, attn_error *error) {
    return attn_format(error, "%s/runs/%s%s%s", r->out, run->name, *file ? "/" : "", file);
}

int study_run_split(char **split, bool *is_dev, const study_runs *r, const study_run *run, size_t n,
                    attn_error *error) {
    const study_plan *p = r->plan;
    *is_dev = false;
    if (run->speaker != STUDY_NONE)
        return survey_held_out(split, r->corpus, run->speaker, n, error);
    *split = NULL;
    size_t listed = study_plan_tests_dev(p);
    if (n >= p->tests + !listed)
        return 0;
    const char *name = n < p->tests ? p->test[n] : p->dev;
    *is_dev = !strcmp(name, p->dev) && p->tests > listed;
    *split = attn_strdup(name, error);
    return *split ? 0 : -1;
}

/* ---- done.txt: of what the run is, so that another one's is not taken for it ---- */

void study_run_identity(char name[HASH_NAME], const study_runs *r, const study_run *run) {
    const study_plan *p = r->plan;
    const study_kind *k = run->kind;
    char numbers[256];
    uint64_t hash = hash_text(r->corpus->identity, run->name);
    snprintf(numbers, sizeof numbers, "%zu %.17g %d %zu %ld", k->epochs, k->learning_rate, (int)k->method,
             p->stream_chunk, p->stream_left_chunks);
    for (size_t i = 0; i < k->steps; i++)
        text_append(numbers, sizeof numbers, " %zu", k->schedule[i]);
    hash = hash_text(hash_text(hash_text(hash, numbers), k->yaml), p->units);
    if (k->base != STUDY_NONE)
        hash = hash_text(hash, p->kinds[k->base].yaml);
    hash = hash_text(hash_text(hash, p->train), p->dev);
    for (size_t i = 0; i < p->tests; i++)
        hash = hash_text(hash, p->test[i]);
    if (!study_plan_tests_dev(p))
        hash = hash_text(hash, "dev is heard too");
    hash_name(name, hash);
}

static int take_up(const study_runs *r, study_run *run, attn_error *error) {
    char name[HASH_NAME];
    char *path = study_run_path(r, run, "done.txt", error), *text = NULL;
    int failed = path ? 0 : -1;
    study_run_identity(name, r, run);
    if (path && !access(path, F_OK)) {
        text = attn_read_file(path, 256, NULL, error);
        failed = !text ? -1
                 : strncmp(text, name, strlen(name))
                     ? attn_fail(error,
                                 "%s: of another plan or other speech (it says %.*s, expected %s): name "
                                 "another --out, or "
                                 "remove it",
                                 path, (int)strcspn(text, "\n"), text, name)
                     : 0;
        run->state = STUDY_DONE;
    }
    attn_free(text);
    attn_free(path);
    return failed;
}

int study_runs_take_up(study_runs *r, attn_error *error) {
    for (size_t i = 0; i < r->count; i++)
        if (r->at[i].state != STUDY_ELSEWHERE && take_up(r, &r->at[i], error))
            return -1;
    return 0;
}
