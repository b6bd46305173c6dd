#include "harness/profile.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "harness/blas.h"
#include "harness/command.h"
#include "harness/profile_input.h"
#include "harness/progress.h"
#include "harness/stats.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CHECK_OUTPUTS = 8, CHECK_OUTPUTS_MOST = 33 };
static const double CHECK_TOLERANCE = 1e-4, REPORT_EVERY = 5;

typedef struct measurement {
    size_t formula, live, workspace;
    double *seconds, *first_chunk; /* [runs] */
} measurement;

typedef struct sums {
    double *seconds, *rtf; /* [count] */
    double audio, features;
    size_t frames, output_frames, formula, live, largest_live, workspace, differing;
} sums;

typedef struct profiler {
    const profile_plan *plan;
    attn_model *model;
    const attn_config *config;
    const char *config_path;
    fbank *extractor;
    json_t *utterances;
    sums sums;
    size_t checked_frames; /* of the comparison with the scalar reference */
    double check_error;    /* as a part of the largest output */
    attn_error *error;
} profiler;

static json_int_t integer(size_t n) {
    return (json_int_t)n;
}

static json_t *number(double x) { /* null where there is none, as the sd of one utterance */
    return isfinite(x) ? json_real(x) : json_null();
}

static int read_config(attn_config *config, const char *path, const profile_plan *plan, attn_error *error) {
    char note[256];
    if (attn_config_read(config, path, note, error))
        return -1;
    if (plan->speech && config->input_dim != FBANK_BINS)
        return attn_fail(error, "%s: input_dim is %zu, but speech gives %d features a frame", path,
                         config->input_dim, FBANK_BINS);
    if (!plan->speech && !attn_output_frames(config, plan->seq_len))
        return attn_fail(error, "%s: --seq-len %zu is too short for its input layer", path, plan->seq_len);
    if (!attn_impl_find(config->variant, plan->model.impl))
        return attn_fail(error, "--impl %s: attention type %s has no such implementation", plan->model.impl,
                         config->variant->name);
    if (note[0])
        fprintf(stderr, "%s\n", note);
    if (plan->model.chunk && *attn_stream_note(config))
        fprintf(stderr, "%s\n", attn_stream_note(config));
    return 0;
}

int profile_check(const char *config_path, const profile_plan *plan, attn_error *error) {
    attn_config config;
    return read_config(&config, config_path, plan, error);
}

/* ---- One utterance */

static attn_session *open_session(const profiler *p, const char *impl, size_t frames) {
    attn_session_options options = p->plan->model;
    options.batch = 1;
    options.max_frames = frames;
    options.impl = impl;
    attn_session *session;
    return attn_session_open(&session, p->model, &options, p->error) ? NULL : session;
}

/* Memory is only mapped when it is touched, so asking for too much succeeds, and the kernel kills later. */
static int check_memory(const attn_session *session, attn_error *error) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t need = attn_session_kv_bytes_live(session) + attn_session_workspace_bytes(session);
    if (pages <= 0 || page <= 0 || need / (size_t)page < (size_t)pages)
        return 0;
    return attn_fail(error, "cache and workspace need %.1f GiB, this machine has %.1f GiB",
                     (double)need / (1 << 30), (double)pages * (double)page / (1 << 30));
}

static float *new_output(const profiler *p, const attn_session *session, size_t frames) {
    return attn_alloc(attn_output_frames(p->config, frames) * attn_session_width(session), sizeof(float),
                      "output", p->error);
}

typedef struct stopwatch {
    double start, first_chunk;
} stopwatch;

static void on_chunk(void *context, size_t chunk, size_t frames_out) {
    stopwatch *watch = context;
    (void)frames_out;
    if (chunk == 0)
        watch->first_chunk = profile_now() - watch->start;
}

/* The session has room for exactly this utterance, so that its live memory is what the utterance needs. */
static int measure(measurement *m, const profiler *p, const profile_input *in) {
    attn_session *session = open_session(p, p->plan->model.impl, in->frames);
    bool fits = session && !check_memory(session, p->error);
    float *out = fits ? new_output(p, session, in->frames) : NULL;
    if (out) {
        /* The warm-up touches the pages of the new cache, too. */
        attn_session_run(session, out, in->features, in->frames, NULL, NULL, NULL);
        for (size_t i = 0; i < p->plan->runs; i++) {
            stopwatch watch = {.start = profile_now()};
            attn_session_run(session, out, in->features, in->frames, NULL, on_chunk, &watch);
            m->seconds[i] = profile_now() - watch.start;
            m->first_chunk[i] = watch.first_chunk;
        }
        m->formula = attn_session_kv_bytes_formula(session);
        m->live = attn_session_kv_bytes_live(session);
        m->workspace = attn_session_workspace_bytes(session);
    }
    attn_free(out);
    attn_session_close(session);
    return out ? 0 : -1;
}

static json_t *samples_json(const double *samples, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(samples[i]));
    return list;
}

static int record(profiler *p, size_t index, const profile_input *in, const measurement *m) {
    stats_summary seconds, first_chunk;
    size_t runs = p->plan->runs, output_frames = attn_output_frames(p->config, in->frames);
    if (stats_summarize(&seconds, m->seconds, runs, p->error) ||
        stats_summarize(&first_chunk, m->first_chunk, runs, p->error))
        return -1;
    sums *s = &p->sums;
    s->seconds[index] = seconds.median;
    s->rtf[index] = seconds.median / in->audio_seconds;
    s->audio += in->audio_seconds;
    s->features += in->feature_seconds;
    s->frames += in->frames;
    s->output_frames += output_frames;
    s->formula += m->formula;
    s->live += m->live;
    s->largest_live = m->live > s->largest_live ? m->live : s->largest_live;
    s->workspace = m->workspace > s->workspace ? m->workspace : s->workspace;
    s->differing += m->formula != m->live;
    json_t *row = json_pack("{s:s, s:I, s:I, s:f, s:I, s:I, s:f, s:f, s:f, s:f, s:o}", "id", in->id, "frames",
                            integer(in->frames), "output_frames", integer(output_frames), "audio_seconds",
                            in->audio_seconds, "kv_bytes_formula", integer(m->formula), "kv_bytes_live",
                            integer(m->live), "seconds", seconds.median, "rtf", s->rtf[index],
                            "first_chunk_seconds", first_chunk.median, "feature_seconds", in->feature_seconds,
                            "seconds_samples", samples_json(m->seconds, runs));
    return json_array_append_new(p->utterances, row) ? attn_fail(p->error, "results: out of memory") : 0;
}

/* ---- The check before the first number */

/* Input frames that give a few outputs, and more than one chunk. */
static size_t check_frames(const profiler *p, size_t frames) {
    size_t outputs = p->plan->model.chunk + 1, enough = 1;
    outputs = outputs < CHECK_OUTPUTS ? CHECK_OUTPUTS : outputs;
    outputs = outputs > CHECK_OUTPUTS_MOST ? CHECK_OUTPUTS_MOST : outputs;
    while (enough < frames && attn_output_frames(p->config, enough) < outputs)
        enough++;
    return enough;
}

static float *run_once(const profiler *p, const char *impl, const profile_input *in, size_t *floats) {
    attn_session *session = open_session(p, impl, p->checked_frames);
    float *out = session ? new_output(p, session, p->checked_frames) : NULL;
    if (out) {
        attn_session_run(session, out, in->features, p->checked_frames, NULL, NULL, NULL);
        *floats = attn_output_frames(p->config, p->checked_frames) * attn_session_width(session);
    }
    attn_session_close(session);
    return out;
}

/* The start of the first utterance against the scalar reference. Returns a status. */
static int compare_with_scalar(profiler *p, const profile_input *in) {
    size_t n = 0;
    if (attn_impl_find(p->config->variant, p->plan->model.impl) == &p->config->variant->impls[0])
        return STATUS_OK; /* it is the reference */
    p->checked_frames = check_frames(p, in->frames);
    float *out = run_once(p, p->plan->model.impl, in, &n);
    float *reference = out ? run_once(p, "scalar", in, &n) : NULL;
    int status = reference ? STATUS_OK : STATUS_BAD_INPUT;
    if (reference) {
        double limit = CHECK_TOLERANCE * attn_compare(reference, reference, n, 0, 0).max_b;
        attn_difference difference = attn_compare(out, reference, n, limit, 0);
        p->check_error = limit > 0 ? CHECK_TOLERANCE * difference.max_abs / limit : difference.max_abs;
        if (!difference.ok) {
            attn_fail(p->error,
                      "%s: --impl %s differs from the scalar reference by %g of the largest output on the "
                      "first %zu frames, at most %g is allowed: nothing was measured",
                      p->config_path, p->plan->model.impl, p->check_error, p->checked_frames,
                      CHECK_TOLERANCE);
            status = STATUS_FAILED;
        }
    }
    attn_free(out);
    attn_free(reference);
    return status;
}

/* ---- All of them */

/* On a terminal every utterance moves the bar; elsewhere a line now and then is enough. */
static void report_done(progress *bar, const profiler *p, size_t done, const char *id, double *reported) {
    double now = profile_now();
    if (!bar->terminal && (now - *reported < REPORT_EVERY || done == p->plan->count))
        return;
    *reported = now;
    bar->done = done - 1;
    progress_done(bar, p->config_path, id);
}

static int run_utterances(profiler *p, measurement *scratch) {
    progress bar;
    double reported = profile_now();
    int status = STATUS_OK;
    progress_init(&bar, p->plan->count, 0);
    for (size_t i = 0; status == STATUS_OK && i < p->plan->count; i++) {
        profile_input in;
        progress_running(&bar, p->config_path);
        if (profile_input_read(&in, p->plan, p->config, i, p->extractor, p->error))
            status = STATUS_BAD_INPUT;
        if (status == STATUS_OK && i == 0)
            status = compare_with_scalar(p, &in);
        if (status == STATUS_OK && (measure(scratch, p, &in) || record(p, i, &in, scratch)))
            status = STATUS_BAD_INPUT;
        attn_free(in.features);
        if (status == STATUS_OK)
            report_done(&bar, p, i + 1, in.id, &reported);
    }
    progress_clear(&bar);
    return status;
}

static json_t *model_json(const profiler *p) {
    const attn_config *c = p->config;
    const attn_geometry *g = &c->attention;
    json_t *model = json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:I, s:I, s:I}", "model_type",
                              attn_model_type_names[c->model_type], "attention_type", c->variant->name,
                              "num_layers", integer(c->num_layers), "d_model", integer(g->d_model),
                              "num_heads", integer(g->num_heads), "pos_enc", attn_pos_enc_names[g->pos_enc],
                              "input_layer", attn_input_layer_names[c->input_layer], "input_dim",
                              integer(c->input_dim), "parameters", integer(attn_model_parameters(p->model)),
                              "weight_bytes", integer(attn_model_weight_bytes(p->model)));
    if (c->variant->has_kv_heads)
        json_object_set_new(model, "num_kv_heads", json_integer(integer(g->num_kv_heads)));
    if (c->variant->has_latent)
        json_object_set_new(model, "latent_dim", json_integer(integer(g->latent_dim)));
    return model;
}

/* How it was run. */
static json_t *setting_json(const profile_plan *plan) {
    blas_state blas;
    blas_read(&blas);
    const attn_session_options *o = &plan->model;
    json_t *setting = json_pack("{s:s, s:I, s:I, s:s, s:s, s:I, s:s, s:o}", "input",
                                plan->speech ? "speech" : "random features", "chunk", integer(o->chunk),
                                "left_chunks", (json_int_t)o->left_chunks, "path", attn_path_names[o->path],
                                "impl", o->impl, "runs", integer(plan->runs), "aggregate", "median", "blas",
                                blas_json(&blas, openblas_get_num_threads()));
    if (plan->speech) {
        json_object_set_new(setting, "data", json_string(plan->data));
        json_object_set_new(setting, "split", json_string(plan->split));
    }
    json_object_set_new(setting, "weights", json_string(plan->weights ? plan->weights : "random"));
    if (!plan->weights || !plan->speech)
        json_object_set_new(setting, "seed", json_integer((json_int_t)plan->seed));
    return setting;
}

/* Largest resident memory so far. Not getrusage where it can be had: its number survives exec, so that a
 * large parent would count. 0 when unknown. */
static size_t peak_memory(void) {
    char line[256];
    size_t kilobytes = 0;
    FILE *stream = fopen("/proc/self/status", "r");
    while (stream && !kilobytes && fgets(line, sizeof line, stream))
        if (sscanf(line, "VmHWM: %zu", &kilobytes) != 1)
            kilobytes = 0;
    if (stream)
        fclose(stream);
    struct rusage usage;
    if (!kilobytes && !getrusage(RUSAGE_SELF, &usage))
        kilobytes = (size_t)usage.ru_maxrss;
    return kilobytes * 1024;
}

static json_t *check_json(const profiler *p) {
    return p->checked_frames ? json_pack("{s:I, s:f, s:f}", "frames", integer(p->checked_frames), "max_error",
                                         p->check_error, "limit", CHECK_TOLERANCE)
                             : json_null();
}

static json_t *result_json(profiler *p) {
    sums *s = &p->sums;
    size_t n = p->plan->count, memory = peak_memory();
    stats_summary seconds, rtf;
    if (stats_summarize(&seconds, s->seconds, n, p->error) || stats_summarize(&rtf, s->rtf, n, p->error))
        return NULL;
    double total = seconds.mean * (double)n;
    json_t *result = json_pack(
        "{s:s, s:o, s:o, s:O, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:b, s:f, s:f, s:f, s:o, s:f, s:o, s:f, "
        "s:I, s:o}",
        "config", p->config_path, "model", model_json(p), "setting", setting_json(p->plan), "utterances",
        p->utterances, "total_utterances", integer(n), "total_frames", integer(s->frames),
        "total_output_frames", integer(s->output_frames), "total_audio_seconds", s->audio, "kv_bytes_formula",
        integer(s->formula), "kv_bytes_live", integer(s->live), "largest_kv_bytes_live",
        integer(s->largest_live), "formula_equals_live", s->differing == 0, "seconds", total, "rtf",
        total / s->audio, "mean_seconds", seconds.mean, "sd_seconds", number(seconds.sd), "mean_rtf",
        rtf.mean, "sd_rtf", number(rtf.sd), "feature_seconds", s->features, "largest_workspace_bytes",
        integer(s->workspace), "peak_memory_bytes", memory ? json_integer(integer(memory)) : json_null());
    if (!result || json_object_set_new(result, "check", check_json(p)))
        attn_fail(p->error, "results: out of memory, or a path that is not UTF-8");
    return result;
}

static int prepare(profiler *p, attn_config *config, measurement *scratch) {
    const profile_plan *plan = p->plan;
    if (read_config(config, p->config_path, plan, p->error) || attn_model_create(&p->model, config, p->error))
        return -1;
    p->config = attn_model_config(p->model);
    if (!plan->weights)
        attn_model_randomize(p->model, plan->seed);
    else if (attn_model_load(p->model, plan->weights, p->error))
        return -1;
    p->extractor = fbank_create(p->error);
    p->utterances = json_array();
    p->sums.seconds = attn_alloc(plan->count, sizeof(double), "times", p->error);
    p->sums.rtf = attn_alloc(plan->count, sizeof(double), "times", p->error);
    scratch->seconds = attn_alloc(plan->runs, sizeof(double), "times", p->error);
    scratch->first_chunk = attn_alloc(plan->runs, sizeof(double), "times", p->error);
    return p->extractor && p->sums.seconds && p->sums.rtf && scratch->seconds && scratch->first_chunk ? 0
                                                                                                      : -1;
}

int profile_model(json_t **result, const char *config_path, const profile_plan *plan, attn_error *error) {
    profiler p = {.plan = plan, .config_path = config_path, .error = error};
    measurement scratch = {0};
    attn_config config;
    *result = NULL;
    int status = prepare(&p, &config, &scratch) ? STATUS_BAD_INPUT : run_utterances(&p, &scratch);
    if (status == STATUS_OK) {
        *result = result_json(&p);
        status = !*result ? STATUS_BAD_INPUT : p.sums.differing ? STATUS_FAILED : STATUS_OK;
    }
    attn_free(scratch.first_chunk);
    attn_free(scratch.seconds);
    attn_free(p.sums.rtf);
    attn_free(p.sums.seconds);
    json_decref(p.utterances);
    fbank_free(p.extractor);
    attn_model_free(p.model);
    return status;
}
