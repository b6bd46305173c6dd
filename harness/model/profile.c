#include "harness/model/profile.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "attn/size.h"
#include "base/clock.h"
#include "base/progress.h"
#include "base/status.h"
#include "harness/model/choices.h"
#include "harness/model/profile_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHECK_OUTPUTS = 8, CHECK_OUTPUTS_MOST = 33 };
static const double REPORT_EVERY = 5;

/* `note` gets remarks on what was read; NULL: they have been made before. */
static int read_config(attn_config *config, const char *path, const profile_plan *plan, char *note,
                       attn_error *error) {
    if (attn_config_read(config, path, note, error))
        return -1;
    if (plan->speech && config->input_dim != FBANK_BINS)
        return attn_fail(error, "%s: input_dim is %zu, but speech gives %d features a frame", path,
                         config->input_dim, FBANK_BINS);
    if (!plan->speech && !attn_output_frames(config, plan->seq_len))
        return attn_fail(error, "%s: --seq-len %zu is too short for its input layer", path, plan->seq_len);
    attn_error inner = {0};
    if (choose_path(plan->model.path, config->variant, &inner) ||
        choose_kv_dtype(config, plan->kv_dtype, &inner))
        return attn_fail_as(error, inner.code, "%s: %s", path, inner.message);
    const attn_impl *impl = attn_impl_find(config->variant, plan->model.impl);
    if (!impl)
        return attn_fail(error, "--impl %s: attention type %s has no such implementation", plan->model.impl,
                         config->variant->name);
    if (attn_impl_reads(impl, config->kv_dtype, &inner))
        return attn_fail_as(error, inner.code, "%s: kv_dtype: %s", path, inner.message);
    if (plan->threads > 1 && !impl->shares)
        return attn_fail(error, "--threads %zu: implementation %s runs on one thread", plan->threads,
                         impl->name);
    return 0;
}

int profile_check(const char *config_path, const profile_plan *plan, attn_error *error) {
    attn_config config;
    char note[256];
    if (read_config(&config, config_path, plan, note, error))
        return -1;
    if (note[0])
        fprintf(stderr, "attnbench profile-kv: %s\n", note);
    if (plan->model.chunk && *attn_stream_note(&config))
        fprintf(stderr, "attnbench profile-kv: %s: %s\n", config_path, attn_stream_note(&config));
    return 0;
}

/* ---- One utterance */

static attn_session *open_session(profiler *p, const char *impl, size_t frames) {
    attn_session_options options = p->plan->model;
    options.batch = 1;
    options.max_frames = frames;
    options.keep_positions = true;
    options.impl = impl;
    options.threads = attn_impl_find(p->config->variant, impl)->shares ? p->threads : NULL;
    options.part = profile_watch_part;
    options.part_context = &p->watch;
    attn_session *session;
    return attn_session_open(&session, p->model, &options, p->error) ? NULL : session;
}

static float *new_output(const profiler *p, const attn_session *session, size_t frames) {
    return attn_alloc(attn_output_frames(p->config, frames) * attn_session_width(session), sizeof(float),
                      "output", p->error);
}

static void run_timed(measurement *m, profile_watch *watch, size_t run, attn_session *session, float *out,
                      const profile_input *in) {
    profile_watch_start(watch);
    attn_session_run(session, out, in->features, in->frames, NULL, profile_watch_chunk, watch);
    profile_watch_stop(watch);
    m->seconds[run] = watch->seconds;
    m->cpu[run] = watch->cpu;
    m->disturbed += watch->disturbed;
    m->first_chunk[run] = watch->first_chunk;
    for (size_t i = 0; i < ATTN_PARTS; i++)
        m->parts[i] += watch->parts[i];
}

/* A wrong model shows in its output's size; one that is not finite has no costs worth measuring. */
static int take_output(measurement *m, profiler *p, const float *out, size_t count, const char *id) {
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += (double)out[i] * (double)out[i];
    m->output_rms = sqrt(squares / (double)count);
    return isfinite(squares) ? 0
                             : attn_fail(p->error, "%s: %s: the output of the model is not a finite number",
                                         p->config_path, id);
}

/* The session has room for exactly this utterance, so that its live memory is what the utterance needs. */
static int measure(measurement *m, profiler *p, const profile_input *in) {
    attn_session *session = open_session(p, p->plan->model.impl, in->frames);
    bool fits = session && !profile_watch_reserve(&p->watch, attn_output_frames(p->config, in->frames),
                                                  p->plan->runs, p->error);
    float *out = fits ? new_output(p, session, in->frames) : NULL;
    int result = -1;
    if (out) {
        size_t chunks = p->watch.chunk_count;
        memset(m->parts, 0, sizeof m->parts);
        m->disturbed = 0;
        /* The warm-up touches the pages of the new cache, too. */
        attn_session_run(session, out, in->features, in->frames, NULL, NULL, NULL);
        result = take_output(m, p, out,
                             attn_output_frames(p->config, in->frames) * attn_session_width(session), in->id);
        for (size_t i = 0; !result && i < p->plan->runs; i++) {
            if (p->sgemm.matrices)
                sgemm_rate_sample(&p->sgemm);
            run_timed(m, &p->watch, i, session, out, in);
        }
        m->chunk_count = p->watch.chunk_count - chunks;
        m->chunks = m->chunk_count ? p->watch.chunks + chunks : NULL;
        m->kv_formula = attn_session_kv_bytes_formula(session);
        m->kv_live = attn_session_kv_bytes_live(session);
        m->conv_formula = attn_session_conv_bytes_formula(session);
        m->conv_live = attn_session_conv_bytes_live(session);
        m->workspace = attn_session_workspace_bytes(session);
        m->positions = attn_session_projected_bytes(session);
        m->flops = attn_session_flops(session, in->frames, NULL);
    }
    attn_free(out);
    attn_session_close(session);
    return result;
}

/* ---- The check before the first number */

/* Input frames that give a few outputs, and more than one chunk. */
static size_t check_frames(const profiler *p, size_t frames) {
    size_t outputs = p->plan->model.chunk + 1, enough = 1;
    outputs = attn_smaller(attn_larger(outputs, CHECK_OUTPUTS), CHECK_OUTPUTS_MOST);
    while (enough < frames && attn_output_frames(p->config, enough) < outputs)
        enough++;
    return enough;
}

static float *run_once(profiler *p, const char *impl, const profile_input *in, size_t *floats) {
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
    p->check_limit = PROFILE_TOLERANCE + attn_element_rounding(p->config->kv_dtype);
    float *out = run_once(p, p->plan->model.impl, in, &n);
    float *reference = out ? run_once(p, "scalar", in, &n) : NULL;
    int status = reference ? STATUS_OK : STATUS_BAD_INPUT;
    if (reference) {
        double largest = attn_compare(reference, reference, n, 0, 0).max_b;
        attn_difference difference = attn_compare(out, reference, n, p->check_limit * largest, 0);
        p->check_error = largest > 0 ? difference.max_abs / largest : difference.max_abs;
        if (!difference.ok) {
            attn_fail(p->error,
                      "%s: --impl %s differs from the scalar reference by %g of the largest output on the "
                      "first %zu frames, at most %g is allowed: nothing was measured",
                      p->config_path, p->plan->model.impl, p->check_error, p->checked_frames, p->check_limit);
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
    double now = clock_now();
    if (!bar->terminal && (now - *reported < REPORT_EVERY || done == p->plan->count))
        return;
    *reported = now;
    bar->done = done - 1;
    progress_done(bar, p->config_path, id);
}

/* Returns a status. The first utterance is read in any case: each process checks before it measures. */
static int run_utterance(profiler *p, size_t index, profile_input *in, measurement *scratch) {
    bool kept = profile_step_is_kept(p, index);
    *in = (profile_input){0};
    if ((!kept || !index) && profile_input_read(in, p->plan, p->config, index, p->extractor, p->error))
        return STATUS_BAD_INPUT;
    int status = index ? STATUS_OK : compare_with_scalar(p, in);
    if (status == STATUS_OK && (kept ? profile_step_take(p, index, in, scratch)
                                     : measure(scratch, p, in) || profile_step_keep(p, index, in, scratch)))
        status = STATUS_BAD_INPUT;
    if (status == STATUS_OK && profile_record(p, index, in, scratch))
        status = STATUS_BAD_INPUT;
    attn_free(in->features);
    return status;
}

static int run_utterances(profiler *p, measurement *scratch) {
    progress bar;
    double reported = clock_now();
    int status = STATUS_OK;
    progress_init(&bar, p->plan->count, 0);
    for (size_t i = 0; status == STATUS_OK && i < p->plan->count; i++) {
        profile_input in;
        progress_running(&bar, p->config_path);
        status = run_utterance(p, i, &in, scratch);
        if (status == STATUS_OK)
            report_done(&bar, p, i + 1, in.id, &reported);
    }
    progress_clear(&bar);
    return status;
}

static int prepare(profiler *p, attn_config *config, measurement *scratch) {
    const profile_plan *plan = p->plan;
    if (read_config(config, p->config_path, plan, NULL, p->error) ||
        choose_threads(&p->threads, plan->threads ? plan->threads : 1, p->error) ||
        attn_model_create(&p->model, config, p->error))
        return -1;
    p->config = attn_model_config(p->model);
    if (!plan->weights)
        attn_model_randomize(p->model, plan->seed);
    else if (attn_model_load(p->model, plan->weights, p->error))
        return -1;
    if (choose_packing(p->model, plan->model.impl, "profile-kv", p->error))
        return -1;
    if (*attn_model_load_note(p->model))
        fprintf(stderr, "attnbench profile-kv: %s\n", attn_model_load_note(p->model));
    if (plan->weights && plan->speech && *attn_speech_note(config))
        fprintf(stderr, "attnbench profile-kv: %s: %s\n", p->config_path, attn_speech_note(config));
    if (plan->sgemm && sgemm_rate_init(&p->sgemm, p->error))
        return -1;
    p->extractor = fbank_create(p->error);
    p->utterances = json_array();
    p->watch.full_chunk = plan->model.chunk;
    for (size_t i = 0; i < PROFILE_SERIES; i++) {
        p->sums.series[i] = attn_alloc(plan->count, sizeof(double), "times", p->error);
        if (!p->sums.series[i])
            return -1;
    }
    scratch->seconds = attn_alloc(plan->runs, sizeof(double), "times", p->error);
    scratch->cpu = attn_alloc(plan->runs, sizeof(double), "times", p->error);
    scratch->first_chunk = attn_alloc(plan->runs, sizeof(double), "times", p->error);
    return p->extractor && scratch->seconds && scratch->cpu && scratch->first_chunk ? 0 : -1;
}

int profile_model(json_t **result, const char *config_path, const profile_plan *plan, attn_error *error) {
    profiler p = {.plan = plan, .config_path = config_path, .error = error};
    measurement scratch = {0};
    attn_config config;
    *result = NULL;
    int status = prepare(&p, &config, &scratch) ? STATUS_BAD_INPUT : run_utterances(&p, &scratch);
    if (status == STATUS_OK) {
        *result = profile_result(&p);
        status = !*result                                       ? STATUS_BAD_INPUT
                 : p.sums.kv_differing || p.sums.conv_differing ? STATUS_FAILED
                                                                : STATUS_OK;
    }
    attn_free(scratch.first_chunk);
    attn_free(scratch.cpu);
    attn_free(scratch.seconds);
    for (size_t i = 0; i < PROFILE_SERIES; i++)
        attn_free(p.sums.series[i]);
    profile_watch_free(&p.watch);
    sgemm_rate_free(&p.sgemm);
    json_decref(p.utterances);
    fbank_free(p.extractor);
    attn_model_free(p.model);
    attn_threads_close(p.threads);
    return status;
}
