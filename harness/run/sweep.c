#include "harness/run/sweep.h"

#include "base/process/child.h"
#include "base/progress.h"
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

static int run_case(const bench_case *c, const counting *counted, const measure_settings *settings,
                    results_store *s, progress *shown, attn_error *error) {
    json_t *entries;
    measure_outcome end;
    char outcome[700];
    progress_running(shown, c->name);
    if (store_started(s, c->name, error) || measure_case(&entries, &end, c, settings, error))
        return -1;
    bool failed = end != MEASURE_DONE;
    int result = failed ? 0 : counting_complete(counted, entries, c, settings, error);
    result = result ? -1 : store_finished(s, c->name, entries, failed, error);
    describe_outcome(entries, failed, outcome, sizeof outcome);
    json_decref(entries);
    if (failed) {
        progress_clear(shown);
        if (shown->terminal)
            fprintf(stderr, "%s: %s\n", c->name, outcome);
    }
    progress_done(shown, c->name, outcome);
    return result;
}

static size_t count_done(const plan *p, const results_store *s) {
    size_t done = 0;
    bool failed;
    for (size_t i = 0; i < p->count; i++)
        done += store_find(s, p->rows[i].name, &failed) != NULL;
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

static int between_cases(attn_error *error) {
    return asked_to_end ? attn_fail_as(error, ATTN_ERROR_STOPPED, "stopped by signal %d", (int)asked_to_end)
                        : 0;
}

int sweep_run(const plan *p, const sweep_settings *settings, results_store *s, attn_error *error) {
    progress shown;
    bool failed;
    char *program = measure_program(error);
    const char *words[MEASURE_COUNTER_WORDS];
    counting_words(settings->counting, words);
    const measure_settings of_case = {.program = program,
                                      .counters = words,
                                      .seed = p->seed,
                                      .repetitions = p->repetitions,
                                      .min_time = p->min_time,
                                      .limit = settings->limit,
                                      .cpu = settings->cpu};
    int result = program ? 0 : -1;
    measure_clean_environment();
    child_catch_signals();
    catch_request();
    progress_init(&shown, p->count, count_done(p, s));
    for (size_t i = 0; i < p->count && !result; i++)
        if (!store_find(s, p->rows[i].name, &failed) && !(result = between_cases(error)))
            result = run_case(&p->rows[i], settings->counting, &of_case, s, &shown, error);
    progress_clear(&shown);
    attn_free(program);
    return result;
}

sweep_counts sweep_count(const plan *p, const results_store *s) {
    sweep_counts counts = {0};
    for (size_t i = 0; i < p->count; i++) {
        bool failed;
        const json_t *entries = store_find(s, p->rows[i].name, &failed);
        const json_t *first = json_array_get(entries, 0);
        if (json_is_true(json_object_get(first, "unsupported")))
            counts.unsupported++;
        else if (failed)
            counts.failed++;
        else
            counts.repetitions += (size_t)json_integer_value(json_object_get(first, "repetitions"));
        counts.disturbed += entry_disturbed(entries);
    }
    return counts;
}
