#include "harness/run/measure.h"

#include "base/home.h"
#include "base/process/child_fate.h"
#include "base/status.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "harness/counters/source/callgrind.h"
#include "harness/results/result_entry.h"

#include "attn/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Google Benchmark takes flags from the environment too. */
void measure_clean_environment(void) {
    static const char *const variables[] = {"BENCHMARK_FILTER",
                                            "BENCHMARK_LIST_TESTS",
                                            "BENCHMARK_OUT",
                                            "BENCHMARK_OUT_FORMAT",
                                            "BENCHMARK_REPORT_AGGREGATES_ONLY",
                                            "BENCHMARK_DISPLAY_AGGREGATES_ONLY",
                                            "BENCHMARK_ENABLE_RANDOM_INTERLEAVING",
                                            "BENCHMARK_TIME_UNIT",
                                            "BENCHMARK_MIN_WARMUP_TIME",
                                            "BENCHMARK_CONTEXT",
                                            "ATTNBENCH_DELAY"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
}

char *measure_program(attn_error *error) {
    const char *other = getenv("ATTNBENCH_CHILD");
    return other && *other ? attn_strdup(other, error) : home_executable(error);
}

/* Where it runs is another folder. */
static int run_simulated(child_result *result, const char *const *words, const child_place *place,
                         attn_error *error) {
    char program[PATH_MAX];
    if (!realpath(words[0], program))
        return attn_fail(error, "%s: cannot be run: %s", words[0], strerror(errno));
    return callgrind_run(result, program, words + 1, place->cpu, place->limit, error);
}

/* Google Benchmark may run a repetition for several min_time. */
static double limit_of(const measure_settings *s) {
    static const double times = 20;
    return s->limit > 0 ? s->limit : CHILD_LIMIT + times * (double)s->repetitions * s->min_time;
}

enum { WORDS = 18 };

static int run_child(child_result *result, const bench_case *c, const measure_settings *s,
                     attn_error *error) {
    char seed[32], flops[32], hash[32], repetitions[64], min_time[64];
    snprintf(seed, sizeof seed, "%" PRIu64, s->seed);
    snprintf(flops, sizeof flops, "%g", s->check_flops);
    snprintf(hash, sizeof hash, "%.0f", s->output_hash);
    snprintf(repetitions, sizeof repetitions, "--benchmark_repetitions=%zu",
             s->simulated ? 1 : s->repetitions);
    snprintf(min_time, sizeof min_time, "--benchmark_min_time=%g", s->simulated ? 0 : s->min_time);
    const char *words[WORDS + MEASURE_COUNTER_WORDS] = {s->program,  "bench",  "--case",
                                                        c->name,     "--seed", seed,
                                                        repetitions, min_time, "--benchmark_format=json"};
    const char *const none[] = {"--counters", s->simulated ? "callgrind" : "off", NULL};
    size_t n = 9;
    if (s->check_flops > 0) {
        words[n++] = "--check-flops";
        words[n++] = flops;
    }
    if (s->hash_output) {
        words[n++] = "--checked-output";
        words[n++] = hash;
    }
    for (const char *const *word = s->counters ? s->counters : none; *word; word++)
        words[n++] = *word;
    words[n] = NULL;
    if (s->delay && setenv("ATTNBENCH_DELAY", s->delay, 1))
        return attn_no_memory(error, "environment");
    const child_place place = {.cpu = s->cpu, .cpus = c->threads, .limit = limit_of(s)};
    int failed = s->simulated ? run_simulated(result, words, &place, error)
                              : child_run(result, (char **)words, &place, error);
    unsetenv("ATTNBENCH_DELAY");
    return failed;
}

int measure_start_turns(child_talk *talk, const bench_case *c, int version, const measure_settings *s,
                        attn_error *error) {
    char seed[32], flops[32];
    snprintf(seed, sizeof seed, "%" PRIu64, s->seed);
    snprintf(flops, sizeof flops, "%g", s->check_flops);
    const char *words[12] = {s->program, "bench", "--turns", "--seed", seed, "--counters", "off"};
    size_t n = 7;
    if (s->check_flops > 0) {
        words[n++] = "--check-flops";
        words[n++] = flops;
    }
    if (version < 2) {
        words[n++] = "--case";
        words[n++] = c->name;
    }
    const child_place place = {.cpu = s->cpu, .cpus = c->threads};
    if (s->delay && setenv("ATTNBENCH_DELAY", s->delay, 1))
        return attn_no_memory(error, "environment");
    int failed = child_start(talk, (char **)words, &place, error);
    unsetenv("ATTNBENCH_DELAY");
    return failed;
}

const char *measure_said(const child_result *r) {
    static const char own[] = "attnbench bench: ";
    return strncmp(r->message, own, sizeof own - 1) ? r->message : r->message + sizeof own - 1;
}

static void describe_end(const child_result *r, double limit, char *text, size_t size) {
    const char *said = measure_said(r);
    char fate[CHILD_FATE];
    child_fate(fate, r);
    if (r->late)
        snprintf(text, size, "the measuring process was still running after %.3g s, and was ended", limit);
    else if (r->signal)
        snprintf(text, size, "the measuring process %s%s%s", fate, *said ? ": " : "", said);
    else if (*said)
        snprintf(text, size, "%s", said);
    else
        snprintf(text, size, "the measuring process %s and said nothing", fate);
}

static json_t *failed_entry(const bench_case *c, const child_result *r, double limit, const char *why) {
    char text[700];
    if (r->status == STATUS_OK)
        snprintf(text, sizeof text, "%s", why);
    else
        describe_end(r, limit, text, sizeof text);
    utf8_mend(text);
    return entry_failed(c, text);
}

/* Its entries; NULL when memory is short. */
static json_t *read_reply(measure_outcome *outcome, const bench_case *c, const child_result *r,
                          double limit) {
    attn_error why = {0};
    bool failed = false;
    json_t *entries = entry_list(c, r->output, r->size, &failed, &why);
    bool reported = entries && !r->signal && (failed || r->status == STATUS_OK);
    *outcome = reported && !failed ? MEASURE_DONE : MEASURE_FAILED;
    if (*outcome == MEASURE_DONE)
        return entries;
    if (!reported) {
        json_decref(entries);
        entries = failed_entry(c, r, limit, why.message);
        *outcome = r->late                                     ? MEASURE_LATE
                   : r->status == STATUS_BAD_INPUT && !r->size ? MEASURE_REFUSED
                                                               : MEASURE_FAILED;
    }
    if (r->status == STATUS_UNDECIDED) {
        json_object_set_new(json_array_get(entries, 0), "unsupported", json_true());
        *outcome = MEASURE_UNSUPPORTED;
    }
    return entries;
}

int measure_case(json_t **entries, measure_outcome *outcome, const bench_case *c,
                 const measure_settings *settings, attn_error *error) {
    child_result r;
    *entries = NULL;
    if (run_child(&r, c, settings, error))
        return -1;
    *entries = read_reply(outcome, c, &r, limit_of(settings));
    attn_free(r.output);
    return *entries ? 0 : json_not_made(error, c->name, "output");
}

int measure_knows(bool *knows, const bench_case *c, const measure_settings *settings, attn_error *error) {
    const char *words[] = {settings->program,
                           "bench",
                           "--case",
                           c->name,
                           "--counters",
                           "off",
                           "--benchmark_list_tests=true",
                           NULL};
    const child_place place = {.cpu = settings->cpu};
    child_result r;
    if (child_run(&r, (char **)words, &place, error))
        return -1;
    *knows = r.status != STATUS_BAD_INPUT;
    attn_free(r.output);
    return 0;
}
