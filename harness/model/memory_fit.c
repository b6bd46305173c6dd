#include "harness/model/memory_fit.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "base/clock.h"
#include "base/process/child_fate.h"
#include "base/text/json.h"
#include "base/text/json_write.h"
#include "base/text/table_write.h"
#include "harness/model/choices.h"
#include "harness/model/profile_run.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAST_LENGTHS = 3, MOST_SECONDS = 36000 };
enum { SLOWEST = 20 }; /* seconds that a second of audio may take */
static const double REST_LIMIT = 1.5 * 1073741824, RESIDUAL_LIMIT = 0.02, MIB = 1048576;

int memory_fit_lengths(memory_fit *fit, const char *text, attn_error *error) {
    *fit = (memory_fit){0};
    double before = 0;
    const char *at = text;
    for (char *end;; at = end + 1) {
        double seconds = strtod(at, &end);
        bool good = at != end && (*end == ',' || !*end) && seconds == floor(seconds) && seconds > before &&
                    seconds <= MOST_SECONDS && fit->count < MEMORY_FIT_LENGTHS;
        if (!good)
            return attn_fail(
                error,
                "--memory-fit %s: expected at most %d ascending whole numbers of seconds up to %d, "
                "as in 60,120,300,600",
                text, MEMORY_FIT_LENGTHS, MOST_SECONDS);
        fit->point[fit->count++].seconds = before = seconds;
        if (!*end)
            break;
    }
    return fit->count >= LEAST_LENGTHS
               ? 0
               : attn_fail(error, "--memory-fit %s: found %zu lengths, expected at least %d", text,
                           fit->count, LEAST_LENGTHS);
}

/* ---- One length, in a process of its own */

static int run_once(memory_fit_point *point, attn_model *model, const profile_plan *plan, attn_error *error) {
    const attn_config *config = attn_model_config(model);
    size_t frames = (size_t)(point->seconds / PROFILE_FRAME_SECONDS + 0.5);
    attn_session_options options = plan->model;
    attn_session *session = NULL;
    uint64_t random = plan->seed + 1;
    options.batch = 1;
    options.max_frames = frames;
    if (choose_threads(&options.threads, plan->threads ? plan->threads : 1, error))
        return -1;
    float *x = attn_alloc(frames * config->input_dim, sizeof *x, "random features", error);
    float *out = x ? attn_alloc(attn_output_frames(config, frames) * config->attention.d_model, sizeof *out,
                                "output", error)
                   : NULL;
    int result = out ? attn_session_open(&session, model, &options, error) : -1;
    if (!result) {
        attn_random_uniform(x, frames * config->input_dim, 1, &random);
        double start = clock_now();
        attn_session_run(session, out, x, frames, NULL, NULL, NULL);
        point->took = clock_now() - start;
        point->weights = attn_model_weight_bytes(model) + attn_model_packed_bytes(model);
        point->caches = attn_session_kv_bytes_live(session) + attn_session_conv_bytes_live(session);
        point->inout = attn_alloc_size(x) + attn_alloc_size(out);
        point->peak = profile_peak_memory();
        result = point->peak ? 0 : attn_fail(error, "the system does not report the process's peak memory");
    }
    attn_session_close(session);
    attn_threads_close(options.threads);
    attn_free(x);
    attn_free(out);
    return result;
}

/* What a child sends. */
typedef struct message {
    memory_fit_point point;
    attn_error error;
} message;

/* What it is asked. */
typedef struct question {
    const char *config;
    double seconds;
    const profile_plan *plan;
} question;

static int answer(void *context) {
    const question *q = context;
    message m = {.point = {.seconds = q->seconds}};
    attn_config config;
    attn_model *model;
    char note[256];
    if (!attn_config_read(&config, q->config, note, &m.error) &&
        !choose_kv_dtype(&config, q->plan->kv_dtype, &m.error) &&
        !attn_model_create(&model, &config, &m.error)) {
        attn_model_randomize(model, q->plan->seed);
        if (!choose_packing(model, q->plan->model.impl, "profile-kv", &m.error))
            run_once(&m.point, model, q->plan, &m.error);
    }
    return write(STDOUT_FILENO, &m, sizeof m) == sizeof m ? 0 : 1;
}

static int run_length(memory_fit_point *point, const char *config, const profile_plan *plan,
                      attn_error *error) {
    question q = {config, point->seconds, plan};
    const child_place place = {.cpu = -1, .limit = CHILD_LIMIT + SLOWEST * point->seconds};
    child_result r;
    char fate[CHILD_FATE];
    message m = {0};
    if (child_call(&r, answer, &q, &place, error))
        return -1;
    bool reported = r.size == sizeof m;
    if (reported)
        memcpy(&m, r.output, sizeof m);
    attn_free(r.output);
    child_fate(fate, &r);
    if (r.late)
        return attn_fail(error, "%s: its process was still running after %.0f s at %.0f s of audio", config,
                         place.limit, point->seconds);
    if (r.signal)
        return attn_fail(error, "%s: its process %s at %.0f s of audio", config, fate, point->seconds);
    if (!reported)
        return attn_fail(error, "%s: its process reported nothing at %.0f s of audio", config,
                         point->seconds);
    if (m.error.code)
        return attn_fail_as(error, m.error.code, "%s: %s", config, m.error.message);
    *point = m.point;
    return 0;
}

/* ---- Lengths that were run before a kill */

enum { KEY = 32 };

static void name_step(char key[KEY], const memory_fit_point *point) {
    snprintf(key, KEY, "%.0f s of audio", point->seconds);
}

static bool take_step(memory_fit_point *point, const step_journal *steps) {
    char key[KEY];
    name_step(key, point);
    const json_t *step = steps_find(steps, key);
    if (!step)
        return false;
    point->peak = (size_t)json_number(step, "peak");
    point->weights = (size_t)json_number(step, "weights");
    point->caches = (size_t)json_number(step, "caches");
    point->inout = (size_t)json_number(step, "inout");
    point->took = json_number(step, "took");
    return true;
}

static int keep_step(const memory_fit_point *point, step_journal *steps, attn_error *error) {
    char key[KEY];
    name_step(key, point);
    return steps_add(steps, key,
                     json_pack("{s:I, s:I, s:I, s:I, s:f}", "peak", (json_int_t)point->peak, "weights",
                               (json_int_t)point->weights, "caches", (json_int_t)point->caches, "inout",
                               (json_int_t)point->inout, "took", point->took),
                     error);
}

int memory_fit_run(memory_fit *fit, const char *config, const profile_plan *plan, attn_error *error) {
    for (size_t i = 0; i < fit->count; i++) {
        memory_fit_point *point = &fit->point[i];
        if (take_step(point, plan->steps))
            continue;
        fprintf(stderr, "%s: %.0f s of audio\n", config, point->seconds);
        if (run_length(point, config, plan, error) || keep_step(point, plan->steps, error))
            return -1;
    }
    memory_fit_line(fit);
    return 0;
}

/* ---- The line */

void memory_fit_line(memory_fit *fit) {
    double n = (double)fit->count, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (size_t i = 0; i < fit->count; i++) {
        double x = fit->point[i].seconds, y = (double)fit->point[i].peak;
        sx += x, sy += y, sxx += x * x, sxy += x * y;
    }
    fit->slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
    fit->base = (sy - fit->slope * sx) / n;
}

double memory_fit_residual(const memory_fit *fit, size_t i) {
    return (double)fit->point[i].peak - fit->base - fit->slope * fit->point[i].seconds;
}

size_t memory_fit_rest(const memory_fit *fit, size_t i) {
    const memory_fit_point *p = &fit->point[i];
    size_t known = p->weights + p->caches;
    return p->peak > known ? p->peak - known : 0;
}

void memory_fit_verdict(const memory_fit *fit, char verdict[200]) {
    double largest = 0;
    verdict[0] = '\0';
    for (size_t i = 0; i < fit->count; i++)
        largest = fmax(largest, (double)fit->point[i].peak);
    for (size_t i = 0; i < fit->count && !verdict[0]; i++) {
        double rest = (double)memory_fit_rest(fit, i), residual = memory_fit_residual(fit, i);
        if (rest > REST_LIMIT)
            snprintf(verdict, 200,
                     "%.0f s of audio take %.1f MiB next to weights and caches, at most %.0f are "
                     "allowed",
                     fit->point[i].seconds, rest / MIB, REST_LIMIT / MIB);
        else if (!(fabs(residual) <= RESIDUAL_LIMIT * largest))
            snprintf(verdict, 200,
                     "the peak at %.0f s of audio is %.2f MiB off the line, at most %.2f are allowed",
                     fit->point[i].seconds, residual / MIB, RESIDUAL_LIMIT * largest / MIB);
    }
}

/* ---- What is printed */

static const table_column columns[] = {
    {"audio_seconds", "Audio, s", "%.0f"},    {"peak_mib", "Peak memory, MiB", "%.1f"},
    {"weights_mib", "Weights, MiB", "%.1f"},  {"caches_mib", "Caches, MiB", "%.1f"},
    {"rest_mib", "Rest, MiB", "%.1f"},        {"inout_mib", "Of it input and output, MiB", "%.1f"},
    {"line_mib", "By the line, MiB", "%.1f"}, {"residual_mib", "Residual, MiB", "%.2f"},
    {"run_seconds", "Run, s", "%.1f"},        {NULL, NULL, NULL}};

static json_t *point_json(const memory_fit *fit, size_t i) {
    const memory_fit_point *p = &fit->point[i];
    double residual = memory_fit_residual(fit, i);
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "audio_seconds",
                     p->seconds, "peak_mib", (double)p->peak / MIB, "weights_mib", (double)p->weights / MIB,
                     "caches_mib", (double)p->caches / MIB, "rest_mib", (double)memory_fit_rest(fit, i) / MIB,
                     "inout_mib", (double)p->inout / MIB, "line_mib", ((double)p->peak - residual) / MIB,
                     "residual_mib", residual / MIB, "run_seconds", p->took, "peak_bytes",
                     (json_int_t)p->peak, "weight_bytes", (json_int_t)p->weights, "cache_bytes",
                     (json_int_t)p->caches);
}

static int print_json(const memory_fit *fit, const text_table *t, const char *config, FILE *stream,
                      attn_error *error) {
    char verdict[200];
    memory_fit_verdict(fit, verdict);
    json_t *root = json_pack("{s:s, s:O, s:f, s:f, s:f, s:b, s:s}", "config", config, "points", t->rows,
                             "base_bytes", fit->base, "bytes_per_audio_second", fit->slope,
                             "rest_limit_bytes", REST_LIMIT, "holds", !verdict[0], "verdict", verdict);
    int result = json_print(root, JSON_INDENT(2), "results", stream, error);
    json_decref(root);
    return result;
}

int memory_fit_print(const memory_fit *fit, const char *config, table_format format, FILE *stream,
                     attn_error *error) {
    char verdict[200];
    text_table t;
    table_init(&t, config, columns);
    for (size_t i = 0; i < fit->count; i++)
        table_add(&t, point_json(fit, i));
    int result = format == TABLE_JSON ? print_json(fit, &t, config, stream, error)
                                      : table_write(&t, format, stream, error);
    memory_fit_verdict(fit, verdict);
    if (!result && format == TABLE_MD)
        fprintf(
            stream,
            "\nPeak memory = %.1f MiB + %.4f MiB a second of audio (least squares). Each length ran once, in "
            "a "
            "process of its own\n(VmHWM), on random features and random weights. Rest is what weights and "
            "caches do not explain; at most %.0f MiB\nare allowed, and no residual beyond %.0f%% of the "
            "largest "
            "peak: %s.\n",
            fit->base / MIB, fit->slope / MIB, REST_LIMIT / MIB, 100 * RESIDUAL_LIMIT,
            verdict[0] ? verdict : "both hold");
    table_free(&t);
    return result;
}
