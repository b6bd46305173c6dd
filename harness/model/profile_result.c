/* profile-kv's results as JSON. */
#include "harness/model/profile_run.h"

#include "attn/size.h"
#include "base/statistics/disturbed.h"
#include "base/statistics/stats.h"
#include "base/text/json.h"
#include "harness/machine/blas.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static json_int_t integer(size_t n) {
    return (json_int_t)n;
}

/* ---- One utterance */

static void add_sums(sums *s, const profile_input *in, size_t output_frames, const measurement *m) {
    s->audio += in->audio_seconds;
    s->features += in->feature_seconds;
    s->frames += in->frames;
    s->output_frames += output_frames;
    s->flops += m->flops;
    s->kv_formula += m->kv_formula;
    s->kv_live += m->kv_live;
    s->largest_kv_live = attn_larger(s->largest_kv_live, m->kv_live);
    s->kv_differing += m->kv_formula != m->kv_live;
    s->conv_formula += m->conv_formula;
    s->conv_live += m->conv_live;
    s->largest_conv_live = attn_larger(s->largest_conv_live, m->conv_live);
    s->conv_differing += m->conv_formula != m->conv_live;
    s->workspace = attn_larger(s->workspace, m->workspace);
    s->positions = attn_larger(s->positions, m->positions);
    s->disturbed += m->disturbed;
    for (size_t i = 0; i < ATTN_PARTS; i++)
        s->parts[i] += m->parts[i];
}

static void add_shares(sums *s, size_t index, const double parts[ATTN_PARTS]) {
    double all = 0;
    for (size_t i = 0; i < ATTN_PARTS; i++)
        all += parts[i];
    for (size_t i = 0; i < ATTN_PARTS; i++)
        s->series[SERIES_SHARE + i][index] = parts[i] / all;
}

static double sum(const double *values, size_t n) {
    double all = 0;
    for (size_t i = 0; i < n; i++)
        all += values[i];
    return all;
}

int profile_record(profiler *p, size_t index, const profile_input *in, const measurement *m) {
    stats_summary seconds, cpu, first_chunk;
    size_t runs = p->plan->runs, output_frames = attn_output_frames(p->config, in->frames);
    sums *s = &p->sums;
    double passed = sum(m->seconds, runs), ran = sum(m->cpu, runs);
    if (stats_summarize(&seconds, m->seconds, runs, p->error) ||
        stats_summarize(&cpu, m->cpu, runs, p->error) ||
        stats_summarize(&first_chunk, m->first_chunk, runs, p->error))
        return -1;
    s->series[SERIES_SECONDS][index] = seconds.median;
    s->series[SERIES_CPU][index] = cpu.median;
    s->series[SERIES_RTF][index] = seconds.median / in->audio_seconds;
    s->series[SERIES_FIRST_CHUNK][index] = first_chunk.median;
    add_sums(s, in, output_frames, m);
    add_shares(s, index, m->parts);
    s->passed += passed;
    s->ran += ran;
    json_t *row = json_pack(
        "{s:s, s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:I, s:f, s:f, s:f, s:f, s:o, s:o}",
        "id", in->id, "frames", integer(in->frames), "output_frames", integer(output_frames), "audio_seconds",
        in->audio_seconds, "kv_bytes_formula", integer(m->kv_formula), "kv_bytes_live", integer(m->kv_live),
        "conv_bytes_formula", integer(m->conv_formula), "conv_bytes_live", integer(m->conv_live), "flops",
        m->flops, "seconds", seconds.median, "cpu_seconds", cpu.median, "lost_percent",
        100 * lost_share(passed, ran), "disturbed", integer(m->disturbed), "rtf",
        s->series[SERIES_RTF][index], "first_chunk_seconds", first_chunk.median, "feature_seconds",
        in->feature_seconds, "output_rms", m->output_rms, "seconds_samples", json_reals(m->seconds, runs),
        "cpu_seconds_samples", json_reals(m->cpu, runs));
    return json_array_append_new(p->utterances, row) ? attn_no_memory(p->error, "results") : 0;
}

/* ---- What was run, and how */

json_t *profile_model_json(const attn_model *from) {
    const attn_config *c = attn_model_config(from);
    const attn_geometry *g = &c->attention;
    json_t *model = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:I, s:b, s:I, s:I, s:I}", "model_type",
        attn_model_type_names[c->model_type], "attention_type", c->variant->name, "num_layers",
        integer(c->num_layers), "d_model", integer(g->d_model), "num_heads", integer(g->num_heads), "pos_enc",
        attn_pos_enc_names[g->pos_enc], "kv_dtype", attn_kv_dtype_names[c->kv_dtype], "input_layer",
        attn_input_layer_names[c->input_layer], "input_dim", integer(c->input_dim), "causal", c->causal,
        "parameters", integer(attn_model_parameters(from)), "weight_bytes",
        integer(attn_model_weight_bytes(from)), "packed_bytes", integer(attn_model_packed_bytes(from)));
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
    json_object_set_new(setting, "threads", json_integer(integer(plan->threads ? plan->threads : 1)));
    if (plan->speech) {
        json_object_set_new(setting, "data", json_string(plan->data));
        json_object_set_new(setting, "split", json_string(plan->split));
    }
    json_object_set_new(setting, "weights", json_string(plan->weights ? plan->weights : "random"));
    if (!plan->weights || !plan->speech)
        json_object_set_new(setting, "seed", json_integer((json_int_t)plan->seed));
    return setting;
}

/* Not getrusage where it can be had otherwise: its number survives exec, so that a large parent would count. */
size_t profile_peak_memory(void) {
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
                                         p->check_error, "limit", p->check_limit)
                             : json_null();
}

/* ---- The sums */

static json_t *sizes_json(const profiler *p) {
    const sums *s = &p->sums;
    size_t memory = attn_larger(profile_peak_memory(), p->peak_before);
    return json_pack("{s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:b, s:I, s:I, s:o}",
                     "total_utterances", integer(p->plan->count), "total_frames", integer(s->frames),
                     "total_output_frames", integer(s->output_frames), "total_audio_seconds", s->audio,
                     "kv_bytes_formula", integer(s->kv_formula), "kv_bytes_live", integer(s->kv_live),
                     "largest_kv_bytes_live", integer(s->largest_kv_live), "formula_equals_live",
                     s->kv_differing == 0, "conv_bytes_formula", integer(s->conv_formula), "conv_bytes_live",
                     integer(s->conv_live), "largest_conv_bytes_live", integer(s->largest_conv_live),
                     "conv_formula_equals_live", s->conv_differing == 0, "largest_workspace_bytes",
                     integer(s->workspace), "largest_positions_bytes", integer(s->positions),
                     "peak_memory_bytes", memory ? json_integer(integer(memory)) : json_null());
}

static json_t *times_json(const profiler *p) {
    const sums *s = &p->sums;
    stats_summary of[SERIES_SHARE];
    for (size_t i = 0; i < SERIES_SHARE; i++)
        if (stats_summarize(&of[i], s->series[i], p->plan->count, p->error))
            return NULL;
    double total = of[SERIES_SECONDS].mean * (double)p->plan->count;
    return json_pack("{s:f, s:f, s:f, s:I, s:I, s:f, s:f, s:o, s:f, s:o, s:f, s:o, s:f, s:f, s:f}", "seconds",
                     total, "cpu_seconds", of[SERIES_CPU].mean * (double)p->plan->count, "lost_percent",
                     100 * lost_share(s->passed, s->ran), "disturbed", integer(s->disturbed), "timed_runs",
                     integer(p->plan->runs * p->plan->count), "rtf", total / s->audio, "mean_seconds",
                     of[SERIES_SECONDS].mean, "sd_seconds", json_finite(of[SERIES_SECONDS].sd), "mean_rtf",
                     of[SERIES_RTF].mean, "sd_rtf", json_finite(of[SERIES_RTF].sd),
                     "mean_first_chunk_seconds", of[SERIES_FIRST_CHUNK].mean, "sd_first_chunk_seconds",
                     json_finite(of[SERIES_FIRST_CHUNK].sd), "feature_seconds", s->features, "flops",
                     s->flops, "flops_per_audio_second", s->flops / s->audio);
}

/* The rate of the model's matrix products and convolutions next to that of the machine's sgemm; null when
 * nobody asked. */
static json_t *sgemm_json(const profiler *p, const json_t *times) {
    double flops = json_number_value(json_object_get(times, "flops"));
    double seconds = json_number_value(json_object_get(times, "seconds"));
    if (!p->sgemm.matrices)
        return json_null();
    return json_pack("{s:i, s:f, s:f}", "n", SGEMM_RATE_N, "flops_per_second", p->sgemm.best, "share",
                     flops / seconds / p->sgemm.best);
}

/* Seconds are of one run of everything; the share is theirs; mean and sd are of the utterances' own shares. */
static json_t *parts_json(const profiler *p) {
    const sums *s = &p->sums;
    double all = 0;
    json_t *parts = json_object();
    for (size_t i = 0; i < ATTN_PARTS; i++)
        all += s->parts[i];
    for (size_t i = 0; i < ATTN_PARTS; i++) {
        stats_summary share;
        if (stats_summarize(&share, s->series[SERIES_SHARE + i], p->plan->count, p->error)) {
            json_decref(parts);
            return NULL;
        }
        json_object_set_new(parts, attn_part_names[i],
                            json_pack("{s:f, s:f, s:f, s:o}", "seconds", s->parts[i] / (double)p->plan->runs,
                                      "share", s->parts[i] / all, "mean_share", share.mean, "sd_share",
                                      json_finite(share.sd)));
    }
    return parts;
}

static json_t *quantiles_json(const double *sorted, size_t n, double unit) {
    return json_pack("{s:f, s:f, s:f}", "p50", stats_quantile(sorted, n, 0.5) / unit, "p95",
                     stats_quantile(sorted, n, 0.95) / unit, "p99", stats_quantile(sorted, n, 0.99) / unit);
}

/* Latency of the full chunks of all runs; null without a stream, or when no utterance fills a chunk. */
static json_t *chunks_json(profiler *p) {
    profile_watch *w = &p->watch;
    double audio =
        PROFILE_FRAME_SECONDS * (double)(w->full_chunk * attn_frame_factor(p->config->input_layer));
    if (!w->chunk_count)
        return json_null();
    stats_sort(w->chunks, w->chunk_count);
    return json_pack("{s:I, s:I, s:f, s:o, s:o}", "count", integer(w->chunk_count), "frames",
                     integer(w->full_chunk), "audio_seconds", audio, "seconds",
                     quantiles_json(w->chunks, w->chunk_count, 1), "rtf",
                     quantiles_json(w->chunks, w->chunk_count, audio));
}

json_t *profile_result(profiler *p) {
    json_t *result =
        json_pack("{s:s, s:o, s:o, s:O}", "config", p->config_path, "model", profile_model_json(p->model),
                  "setting", setting_json(p->plan), "utterances", p->utterances);
    if (result && !json_object_update_new(result, sizes_json(p)) &&
        !json_object_update_new(result, times_json(p)) &&
        !json_object_set_new(result, "sgemm", sgemm_json(p, result)) &&
        !json_object_set_new(result, "parts", parts_json(p)) &&
        !json_object_set_new(result, "chunks", chunks_json(p)) &&
        !json_object_set_new(result, "check", check_json(p)))
        return result;
    json_decref(result);
    json_not_made(p->error, "results", "a path");
    return NULL;
}
