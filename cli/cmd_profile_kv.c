#define _GNU_SOURCE /* sched_getcpu, sched_setaffinity */
/* attnbench profile-kv: cache bytes, time, real-time factor and peak memory of models on speech. */
#include "base/option_values.h"
#include "base/process/child_fate.h"
#include "base/text/hash.h"
#include "cli/frame/command.h"
#include "cli/frame/kept_steps.h"
#include "datasets/audio.h"
#include "harness/model/choices.h"
#include "harness/model/memory_fit.h"
#include "harness/model/profile.h"
#include "reports/data/profile_print.h"

#include "attn/alloc.h"

#include <cblas.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_FRAMES = 1000000, MOST_RUNS = 1000, DAY = 86400 };

typedef struct arguments {
    const char **configs, **weights;
    char *data, *split, *path, *impl, *kv_dtype, *format, *memory_fit, *out;
    long long seq_len, chunk, left_chunks, limit, seed, runs, threads;
    int sgemm;
} arguments;

static int parse(arguments *a, int argc, char **argv, int *status) {
    *a = (arguments){.path = "auto",
                     .impl = "auto",
                     .format = "md",
                     .seq_len = OPTION_NOT_GIVEN,
                     .chunk = OPTION_NOT_GIVEN,
                     .limit = OPTION_NOT_GIVEN,
                     .left_chunks = -1,
                     .seed = OPTION_NOT_GIVEN,
                     .runs = OPTION_NOT_GIVEN,
                     .threads = 1};
    struct poptOption options[] = {
        {"config", '\0', POPT_ARG_ARGV, &a->configs, 0,
         "needed: the model; given several times: a table of models", "F.yaml"},
        {"seq-len", '\0', POPT_ARG_LONGLONG, &a->seq_len, 0,
         "random features: input frames, of 10 ms each (default 1000)", "N"},
        {"data", '\0', POPT_ARG_STRING, &a->data, 0, "speech instead: a folder laid out as LibriSpeech is",
         "DIR"},
        {"split", '\0', POPT_ARG_STRING, &a->split, 0, "of the speech", "S"},
        {"limit", '\0', POPT_ARG_LONGLONG, &a->limit, 0, "only the first K utterances", "K"},
        {"chunk", '\0', POPT_ARG_LONGLONG, &a->chunk, 0,
         "frames a call, counted after the input layer: under conv2d 16 are 64 input frames, 640 ms "
         "(default: everything in one call)",
         "N"},
        {"left-chunks", '\0', POPT_ARG_LONGLONG, &a->left_chunks, 0,
         "chunks of N frames of cache kept before the current one (default -1: all)", "M"},
        {"path", '\0', POPT_ARG_STRING, &a->path, 0, "of mla and mla_simple: auto, expand or absorb", "P"},
        {"impl", '\0', POPT_ARG_STRING, &a->impl, 0, CHOOSE_IMPL_HELP, "I"},
        {"kv-dtype", '\0', POPT_ARG_STRING, &a->kv_dtype, 0, CHOOSE_KV_DTYPE_HELP, "T"},
        {"threads", '\0', POPT_ARG_LONGLONG, &a->threads, 0, CHOOSE_THREADS_HELP, "N"},
        {"weights", '\0', POPT_ARG_ARGV, &a->weights, 0,
         "a checkpoint (default: random weights); of several models: one for each, in their order",
         "F.safetensors"},
        {"seed", '\0', POPT_ARG_LONGLONG, &a->seed, 0, "of random weights and features (default 1)", "N"},
        {"runs", '\0', POPT_ARG_LONGLONG, &a->runs, 0,
         "timed runs of each utterance, after one warm-up; their median counts (default 1)", "N"},
        {"sgemm", '\0', POPT_ARG_NONE, &a->sgemm, 0,
         "also measure this machine's sgemm between the runs, and say which part of it the model reaches",
         NULL},
        {"memory-fit", '\0', POPT_ARG_STRING, &a->memory_fit, 0,
         "peak memory at these lengths of audio in seconds, and a line through them; see docs/profile-kv.md",
         "60,120,300,600"},
        {"out", '\0', POPT_ARG_STRING, &a->out, 0, KEPT_STEPS_HELP, "R.json"},
        {"format", 'f', POPT_ARG_STRING, &a->format, 0, "md, csv, json or tex", "F"},
        POPT_TABLEEND};
    return command_options(
        argc, argv, "",
        "Cache bytes (by formula and as allocated), time, real-time factor and peak memory of a model, on\n"
        "the utterances of a corpus or on random features. The real-time factor is the model's time divided "
        "by\n"
        "the length of the audio; reading files, features and memory's allocation are outside of it. One\n"
        "thread unless --threads says otherwise. Exit status 1 when a cache is not as large as\n"
        "its formula says, or results differ from the scalar reference's.",
        options, NULL, status);
}

static int check_weights(const arguments *a, attn_error *error) {
    size_t models = word_count(a->configs), weights = word_count(a->weights);
    return weights && weights != models
               ? attn_fail(error, "--weights: found %zu of them for %zu --config, expected one for each",
                           weights, models)
               : 0;
}

static int check_out(const arguments *a, attn_error *error) {
    for (size_t i = 0; a->configs[i]; i++)
        if (option_distinct("--out", a->out, "--config", a->configs[i], error) ||
            (a->weights && option_distinct("--out", a->out, "--weights", a->weights[i], error)))
            return -1;
    return 0;
}

static int check_input(const arguments *a, attn_error *error) {
    if (!a->configs || !a->configs[0])
        return option_needs("--config", NULL, error);
    if (a->data && a->seq_len != OPTION_NOT_GIVEN)
        return attn_fail(error, "--data and --seq-len: only one of them can be the input");
    if (!a->data && (a->split || a->limit != OPTION_NOT_GIVEN))
        return attn_fail(error, "%s needs --data", a->split ? "--split" : "--limit");
    if (a->memory_fit && (a->data || a->seq_len != OPTION_NOT_GIVEN || a->weights || a->configs[1]))
        return attn_fail(error,
                         "--memory-fit takes one --config, and neither --data, --seq-len nor --weights");
    if (a->memory_fit && a->sgemm)
        return attn_fail(error, "--sgemm and --memory-fit: only one of them can be measured");
    if (a->memory_fit && a->runs != OPTION_NOT_GIVEN)
        return attn_fail(error, "--runs: --memory-fit runs each length once");
    if (a->left_chunks >= 0 && a->chunk == OPTION_NOT_GIVEN)
        return attn_fail(error, "--left-chunks %lld: needs --chunk", a->left_chunks);
    if (a->weights && a->data && a->seed != OPTION_NOT_GIVEN)
        return attn_fail(error, "--seed: with --weights and --data nothing is random");
    return check_weights(a, error) || check_out(a, error) ? -1 : 0;
}

static int make_plan(profile_plan *plan, const arguments *a, attn_error *error) {
    int path = option_choice("--path", a->path, attn_path_names, error);
    if (check_input(a, error) || path < 0 ||
        option_range_given("--seq-len", a->seq_len, 1, MOST_FRAMES, error) ||
        option_range_given("--limit", a->limit, 1, MOST_FRAMES, error) ||
        option_range_given("--chunk", a->chunk, 1, MOST_FRAMES, error) ||
        option_range("--left-chunks", a->left_chunks, -1, MOST_FRAMES, error) ||
        option_range_given("--seed", a->seed, 0, 1LL << 62, error) ||
        option_range_given("--runs", a->runs, 1, MOST_RUNS, error) ||
        option_range("--threads", a->threads, 1, CHOOSE_THREADS_MOST, error))
        return -1;
    *plan = (profile_plan){.count = 1,
                           .seq_len = a->seq_len == OPTION_NOT_GIVEN ? 1000 : (size_t)a->seq_len,
                           .data = a->data,
                           .split = a->split,
                           .weights = a->weights ? a->weights[0] : NULL,
                           .seed = a->seed == OPTION_NOT_GIVEN ? 1 : (uint64_t)a->seed,
                           .runs = a->runs == OPTION_NOT_GIVEN ? 1 : (size_t)a->runs,
                           .sgemm = a->sgemm,
                           .kv_dtype = a->kv_dtype,
                           .threads = (size_t)a->threads,
                           .model = {.chunk = a->chunk == OPTION_NOT_GIVEN ? 0 : (size_t)a->chunk,
                                     .left_chunks = (long)a->left_chunks,
                                     .impl = a->impl,
                                     .path = (attn_path)path}};
    return 0;
}

static int read_speech(corpus *speech, profile_plan *plan, const arguments *a, attn_error *error) {
    if (!a->data)
        return 0;
    if (corpus_read(speech, a->data, a->split, error))
        return -1;
    plan->speech = speech;
    plan->count = speech->count;
    if (a->limit != OPTION_NOT_GIVEN && (size_t)a->limit < plan->count)
        plan->count = (size_t)a->limit;
    for (size_t i = 0; i < plan->count; i++) { /* a bad file is better found now than after an hour */
        size_t samples;
        if (audio_check(&samples, speech->utterances[i].path, error))
            return -1;
    }
    return 0;
}

/* Steady times: one BLAS thread unless the user chose a number, and a single thread stays where it is. */
static void settle(const profile_plan *plan) {
    if (plan->threads > 1 || (!getenv("OPENBLAS_NUM_THREADS") && !getenv("OMP_NUM_THREADS")))
        openblas_set_num_threads(1);
    int cpu = sched_getcpu();
    if (plan->threads > 1 || openblas_get_num_threads() != 1 || cpu < 0)
        return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    sched_setaffinity(0, sizeof one, &one); /* where it is refused the times are only less steady */
}

/* ---- Several models: each in a process of its own, so that the peak memory is its own */

typedef struct one_model {
    const char *config;
    const profile_plan *plan;
} one_model;

static int profile_one(void *context) {
    const one_model *m = context;
    attn_error error = {0};
    json_t *result;
    int status = profile_model(&result, m->config, m->plan, &error);
    if (!result) {
        command_fail("profile-kv", &error);
        return status;
    }
    return json_dumpfd(result, STDOUT_FILENO, JSON_COMPACT) ? STATUS_BAD_INPUT : status;
}

/* NULL with *status when there is no result; without an error, the child has said why. */
static json_t *profile_in_child(int *status, const char *config, const profile_plan *plan,
                                attn_error *error) {
    one_model m = {config, plan};
    const child_place place = {.cpu = -1, .limit = DAY, .errors = CHILD_SHOWN};
    child_result r;
    char fate[CHILD_FATE];
    *status = STATUS_BAD_INPUT;
    if (child_call(&r, profile_one, &m, &place, error))
        return NULL;
    json_t *result = r.output ? json_loadb(r.output, r.size, 0, NULL) : NULL;
    attn_free(r.output);
    child_fate(fate, &r);
    if (r.late)
        attn_fail(error, "%s: its process was still running after a day, and was ended", config);
    else if (r.signal)
        attn_fail(error, "%s: its process %s", config, fate);
    else
        *status = r.status;
    return result;
}

/* {"models": [...]}, or NULL when some model gave no result. *status is the worst of them. */
static json_t *profile_several(int *status, const arguments *a, const profile_plan *plan, attn_error *error) {
    json_t *models = json_array();
    *status = STATUS_OK;
    for (size_t i = 0; a->configs[i]; i++) {
        int one;
        profile_plan own = *plan;
        own.weights = a->weights ? a->weights[i] : NULL;
        own.model_number = i;
        json_t *result = profile_in_child(&one, a->configs[i], &own, error);
        *status = one > *status ? one : *status;
        if (!result || json_array_append_new(models, result)) {
            json_decref(models);
            return NULL;
        }
    }
    return json_pack("{s:o}", "models", models);
}

typedef struct fitted {
    const memory_fit *fit;
    const char *config;
} fitted;

static int print_fit_json(const void *made, FILE *stream, attn_error *error) {
    const fitted *f = made;
    return memory_fit_print(f->fit, f->config, TABLE_JSON, stream, error);
}

static int fit_memory(const arguments *a, const profile_plan *plan, table_format format, attn_error *error) {
    memory_fit fit;
    char verdict[200];
    if (memory_fit_lengths(&fit, a->memory_fit, error))
        return STATUS_BAD_INPUT;
    if (profile_check(a->configs[0], plan, error))
        return STATUS_BAD_INPUT;
    settle(plan);
    const fitted made = {&fit, a->configs[0]};
    if (memory_fit_run(&fit, a->configs[0], plan, error) ||
        (a->out && kept_steps_write(plan->steps, a->out, print_fit_json, &made, error)) ||
        memory_fit_print(&fit, a->configs[0], format, stdout, error))
        return STATUS_BAD_INPUT;
    memory_fit_verdict(&fit, verdict);
    if (verdict[0])
        fprintf(stderr, "attnbench profile-kv: %s\n", verdict);
    return verdict[0] ? STATUS_FAILED : STATUS_OK;
}

static int hash_files(uint64_t *hash, const arguments *a, const profile_plan *plan, attn_error *error) {
    for (size_t i = 0; a->configs[i]; i++)
        if (hash_file_state(hash, a->configs[i], error) ||
            (a->weights && hash_file_state(hash, a->weights[i], error)))
            return -1;
    return plan->speech ? corpus_hash_state(hash, plan->speech, plan->count, error) : 0;
}

static int print_json(const void *made, FILE *stream, attn_error *error) {
    return profile_print(made, TABLE_JSON, stream, error);
}

static int run(const arguments *a, const profile_plan *plan, table_format format, attn_error *error) {
    int status;
    json_t *result = NULL;
    if (a->memory_fit)
        return fit_memory(a, plan, format, error);
    for (size_t i = 0; a->configs[i]; i++)
        if (profile_check(a->configs[i], plan, error))
            return STATUS_BAD_INPUT;
    settle(plan);
    if (a->configs[1])
        result = profile_several(&status, a, plan, error);
    else
        status = profile_model(&result, a->configs[0], plan, error);
    if (result && a->out && kept_steps_write(plan->steps, a->out, print_json, result, error))
        status = STATUS_BAD_INPUT;
    else if (result && profile_print(result, format, stdout, error))
        status = STATUS_BAD_INPUT;
    json_decref(result);
    return status;
}

/* `work` is of the command line. */
static int run_kept(const arguments *a, profile_plan *plan, table_format format, uint64_t work,
                    attn_error *error) {
    if (a->out && (hash_files(&work, a, plan, error) ||
                   kept_steps_open(&plan->steps, "profile-kv", a->out, work, error)))
        return STATUS_BAD_INPUT;
    int status = run(a, plan, format, error);
    steps_close(plan->steps);
    return status;
}

int cmd_profile_kv(int argc, char **argv) {
    arguments a;
    int status;
    if (!parse(&a, argc, argv, &status))
        return status;
    attn_error error = {0};
    profile_plan plan;
    corpus speech = {0};
    int format = option_choice("--format", a.format, table_format_names, &error);
    if (format < 0 || make_plan(&plan, &a, &error) || read_speech(&speech, &plan, &a, &error))
        status = STATUS_BAD_INPUT;
    else if ((status = choose_impl(a.impl, &error)) == STATUS_OK)
        status = run_kept(&a, &plan, (table_format)format, kept_steps_hash(argc, argv), &error);
    corpus_free(&speech);
    if (error.code) /* without one, the process of a model has said it */
        command_fail("profile-kv", &error);
    return status;
}
