#include "harness/sweep.h"

#include "harness/child.h"
#include "harness/entry.h"
#include "harness/home.h"
#include "harness/progress.h"

#include "attn/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Google Benchmark takes flags from the environment too; those would change what is measured or printed. */
static void clean_environment(void) {
    static const char *const variables[] = {"BENCHMARK_FILTER",
                                            "BENCHMARK_LIST_TESTS",
                                            "BENCHMARK_OUT",
                                            "BENCHMARK_OUT_FORMAT",
                                            "BENCHMARK_REPORT_AGGREGATES_ONLY",
                                            "BENCHMARK_DISPLAY_AGGREGATES_ONLY",
                                            "BENCHMARK_ENABLE_RANDOM_INTERLEAVING",
                                            "BENCHMARK_TIME_UNIT",
                                            "BENCHMARK_MIN_WARMUP_TIME",
                                            "BENCHMARK_CONTEXT"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

/* The program that measures: this one. ATTNBENCH_CHILD is for tests of what a broken one leads to. */
static char *measuring_program(attn_error *error) {
    const char *other = getenv("ATTNBENCH_CHILD");
    return other && *other ? attn_strdup(other, error) : home_executable(error);
}

static int run_child(child_result *result, const char *program, const plan *p, const bench_case *c,
                     const sweep_settings *settings, attn_error *error) {
    char seed[32], repetitions[64], min_time[64];
    snprintf(seed, sizeof seed, "%" PRIu64, p->seed);
    snprintf(repetitions, sizeof repetitions, "--benchmark_repetitions=%zu", p->repetitions);
    snprintf(min_time, sizeof min_time, "--benchmark_min_time=%g", p->min_time);
    const char *words[16 + COUNTING_WORDS_MAX] = {program,     "bench",  "--case",
                                                  c->name,     "--seed", seed,
                                                  repetitions, min_time, "--benchmark_format=json"};
    size_t count = 9;
    count += counting_words(settings->counting, words + count);
    words[count] = NULL;
    return child_run(result, (char **)words, settings->cpu, error);
}

/* What a process says of its end, without "attnbench bench: ". */
static void describe_end(const child_result *r, char *text, size_t size) {
    static const char own[] = "attnbench bench: ";
    const char *said = strncmp(r->message, own, sizeof own - 1) ? r->message : r->message + sizeof own - 1;
    if (r->signal)
        snprintf(text, size, "the measuring process was ended by signal %d (%s)%s%s", r->signal,
                 strsignal(r->signal), *said ? ": " : "", said);
    else if (*said)
        snprintf(text, size, "%s", said);
    else
        snprintf(text, size, "the measuring process ended with status %d and said nothing", r->status);
}

enum { STATUS_UNSUPPORTED = 3 };

/* Its entries; NULL when memory is short. Whatever goes wrong with a case becomes its entry. */
static json_t *entries_of(const bench_case *c, const child_result *r, bool *failed) {
    attn_error why = {0};
    json_t *entries = entry_list(c, r->output, r->size, failed, &why);
    bool told = entries && !r->signal && (*failed || r->status == 0);
    if (told)
        goto done;
    json_decref(entries);
    char text[700];
    if (r->status == 0)
        snprintf(text, sizeof text, "%s", why.message);
    else
        describe_end(r, text, sizeof text);
    *failed = true;
    entries = entry_failed(c, text);
done:
    if (*failed && r->status == STATUS_UNSUPPORTED)
        json_object_set_new(json_array_get(entries, 0), "unsupported", json_true());
    return entries;
}

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

static int run_case(const char *program, const plan *p, const bench_case *c, const sweep_settings *settings,
                    store *s, progress *shown, attn_error *error) {
    child_result r;
    bool failed;
    char outcome[700];
    progress_running(shown, c->name);
    if (store_started(s, c->name, error) || run_child(&r, program, p, c, settings, error))
        return -1;
    json_t *entries = entries_of(c, &r, &failed);
    attn_free(r.output);
    if (!entries)
        return attn_fail(error, "%s: out of memory, or output that is not UTF-8", c->name);
    int result = failed ? 0 : counting_complete(settings->counting, entries, program, p, c, error);
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

static size_t count_done(const plan *p, const store *s) {
    size_t done = 0;
    bool failed;
    for (size_t i = 0; i < p->count; i++)
        done += store_find(s, p->rows[i].name, &failed) != NULL;
    return done;
}

int sweep_run(const plan *p, const sweep_settings *settings, store *s, attn_error *error) {
    progress shown;
    bool failed;
    char *program = measuring_program(error);
    int result = program ? 0 : -1;
    clean_environment();
    child_catch_signals();
    progress_init(&shown, p->count, count_done(p, s));
    for (size_t i = 0; i < p->count && !result; i++)
        if (!store_find(s, p->rows[i].name, &failed))
            result = run_case(program, p, &p->rows[i], settings, s, &shown, error);
    progress_clear(&shown);
    attn_free(program);
    return result;
}

sweep_counts sweep_count(const plan *p, const store *s) {
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
