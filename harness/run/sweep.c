#include "harness/run/sweep.h"

#include "base/process/child.h"
#include "base/progress.h"
#include "harness/plan/plan_turns.h"
#include "harness/results/case_rounds.h"
#include "harness/results/result_entry.h"
#include "harness/run/measure.h"

#include "attn/alloc.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void describe_outcome(const json_t *entries, bool failed, char *text, size_t size) {
    const json_t *first = json_array_get(entries, 0);
    double ns = entry_median(entries);
    const char *unit = ns < 1e3 ? "ns" : ns < 1e6 ? "us" : ns < 1e9 ? "ms" : "s";
    double scale = ns < 1e3 ? 1 : ns < 1e6 ? 1e3 : ns < 1e9 ? 1e6 : 1e9;
    size_t disturbed = entry_disturbed(entries);
    if (failed)
        snprintf(text, size, "%s: %s",
                 json_object_get(first, "unsupported") ? "not supported here" : "FAILED",
                 json_string_value(json_object_get(first, "error_message")));
    else if (disturbed)
        snprintf(text, size, "%.4g %s (%zu disturbed)", ns / scale, unit, disturbed);
    else
        snprintf(text, size, "%.4g %s", ns / scale, unit);
}

/* What every process of the sweep is run with. */
typedef struct sweeping {
    const plan *plan;
    const counting *counting;
    measure_settings settings;
    results_store *store;
    progress shown;
} sweeping;

static int run_process(json_t **entries, bool *has_failed, const sweeping *w, const bench_case *c,
                       size_t round, attn_error *error) {
    measure_settings settings = w->settings;
    measure_outcome end;
    bool failed;
    settings.repetitions = plan_repetitions(w->plan, c->name, round);
    settings.hash_output = true;
    settings.output_hash = case_rounds_number(w->store, c->name, "output_hash", 0);
    if (measure_case(entries, &end, c, &settings, error))
        return -1;
    *has_failed = end != MEASURE_DONE;
    const json_t *own = json_array_get(*entries, 0), *earlier = store_find(w->store, c->name, 0, &failed);
    settings.output_hash = json_number_value(json_object_get(own, "output_hash"));
    return *has_failed ? 0 : counting_complete(w->counting, *entries, earlier, c, &settings, error);
}

static void show_done(sweeping *w, const bench_case *c, size_t round, const char *outcome, bool failed) {
    char name[BENCH_NAME_MAX + 64];
    size_t rounds = plan_rounds_of(w->plan, c->name);
    snprintf(name, sizeof name, "%s, round %zu of %zu", c->name, round + 1, rounds);
    if (failed) {
        progress_clear(&w->shown);
        if (w->shown.terminal)
            fprintf(stderr, "%s: %s\n", c->name, outcome);
        w->shown.total -= rounds - round - 1; /* there will be none */
    }
    progress_done(&w->shown, rounds > 1 ? name : c->name, outcome);
}

static int run_case(sweeping *w, const bench_case *c, size_t round, attn_error *error) {
    json_t *entries = NULL;
    bool failed = false;
    char outcome[700];
    progress_running(&w->shown, c->name);
    if (store_started(w->store, c->name, round, error))
        return -1;
    int result = run_process(&entries, &failed, w, c, round, error);
    if (!result)
        result = store_finished(w->store, c->name, round, entries, failed, error);
    if (!result) {
        describe_outcome(entries, failed, outcome, sizeof outcome);
        show_done(w, c, round, outcome, failed);
    }
    json_decref(entries);
    return result;
}

static size_t count_done(const plan *p, const results_store *s) {
    size_t done = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t round = 0; round < plan_rounds_of(p, p->rows[i].name); round++)
            done += !case_rounds_lack(s, p->rows[i].name, round);
    return done;
}

static volatile sig_atomic_t asked_to_end;

static void take_note(int number) {
    asked_to_end = number;
}

int sweep_stop_signal(void) {
    return child_stop_signal() ? child_stop_signal() : (int)asked_to_end;
}

/* SIGUSR1 lets the case in flight finish: schedulers send it some time before they end a job. */
static void catch_request(void) {
    const struct sigaction action = {.sa_handler = take_note, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
}

static int between_processes(attn_error *error) {
    return asked_to_end ? attn_fail_as(error, ATTN_ERROR_STOPPED, "stopped by signal %d", (int)asked_to_end)
                        : 0;
}

static int run_turns(sweeping *w, attn_error *error) {
    size_t count = plan_processes(w->plan);
    plan_turn *turns = plan_turns(w->plan, error);
    int result = turns ? 0 : -1;
    for (size_t i = 0; i < count && !result; i++)
        if (case_rounds_lack(w->store, turns[i].row->name, turns[i].round))
            result = between_processes(error) ? -1 : run_case(w, turns[i].row, turns[i].round, error);
    attn_free(turns);
    return result;
}

int sweep_run(const plan *p, const sweep_settings *settings, results_store *s, attn_error *error) {
    char *program = measure_program(error);
    const char *words[MEASURE_COUNTER_WORDS];
    counting_words(settings->counting, words);
    sweeping w = {.plan = p,
                  .counting = settings->counting,
                  .store = s,
                  .settings = {.program = program,
                               .counters = words,
                               .seed = p->seed,
                               .min_time = p->min_time,
                               .limit = settings->limit,
                               .cpu = settings->cpu}};
    measure_clean_environment();
    child_catch_signals();
    catch_request();
    progress_init(&w.shown, plan_processes(p), count_done(p, s));
    int result = program ? run_turns(&w, error) : -1;
    progress_clear(&w.shown);
    attn_free(program);
    return result;
}

static void count(sweep_counts *counts, const json_t *entries) {
    const json_t *first = json_array_get(entries, 0);
    if (json_is_true(json_object_get(first, "unsupported")))
        counts->unsupported++;
    else if (json_is_true(json_object_get(first, "error_occurred")))
        counts->failed++;
    else
        counts->repetitions += (size_t)json_integer_value(json_object_get(first, "repetitions"));
    counts->disturbed += entry_disturbed(entries);
}

json_t *sweep_entries(sweep_counts *counts, const plan *p, const results_store *s, attn_error *error) {
    json_t *all = json_array();
    int result = all ? 0 : attn_no_memory(error, "results");
    *counts = (sweep_counts){0};
    for (size_t i = 0; i < p->count && !result; i++) {
        json_t *entries = case_rounds_join(s, p->rows[i].name, plan_rounds_of(p, p->rows[i].name), error);
        count(counts, entries);
        if (!entries || json_array_extend(all, entries))
            result = attn_no_memory(error, "results");
        json_decref(entries);
    }
    if (!result)
        return all;
    json_decref(all);
    return NULL;
}
