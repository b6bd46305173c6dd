#include "reports/data/profile_print.h"

#include "base/text/json.h"
#include "base/text/json_write.h"
#include "base/text/table_write.h"

#include "attn/model.h"

#include <math.h>
#include <string.h>

static const table_column utterance_columns[] = {
    {"id", "Utterance", NULL},
    {"frames", "Frames", NULL},
    {"output_frames", "After the input layer", NULL},
    {"audio_seconds", "Audio, s", "%.2f"},
    {"kv_bytes_formula", "KV cache by formula, bytes", NULL},
    {"kv_bytes_live", "KV cache as allocated, bytes", NULL},
    {"conv_bytes_formula", "Convolution cache by formula, bytes", NULL},
    {"conv_bytes_live", "Convolution cache as allocated, bytes", NULL},
    {"flops", "FLOPs by formula", "%.4g"},
    {"seconds", "Time, s", "%.4f"},
    {"cpu_seconds", "CPU time, s", "%.4f"},
    {"lost_percent", "% lost", "%.1f"},
    {"disturbed", "Disturbed runs", NULL},
    {"first_chunk_seconds", "To the first output, s", "%.4f"},
    {"rtf", "Real-time factor", "%.4f"},
    {"peak_memory_bytes", "Peak memory of the process, bytes", NULL},
    {NULL, NULL, NULL}};

static const table_column model_columns[] = {
    {"config", "Configuration", NULL},
    {"model_type", "Model", NULL},
    {"attention_type", "Attention", NULL},
    {"latent_dim", "latent_dim", NULL},
    {"num_kv_heads", "Key/value heads", NULL},
    {"kv_dtype", "Cache type", NULL},
    {"how", "Frames fed", NULL},
    {"weights", "Weights", NULL},
    {"parameters", "Parameters", NULL},
    {"utterances", "Utterances", NULL},
    {"frames", "Frames", NULL},
    {"kv_bytes_formula", "KV cache by formula, bytes", NULL},
    {"kv_bytes_live", "KV cache as allocated, bytes", NULL},
    {"conv_bytes_formula", "Convolution cache by formula, bytes", NULL},
    {"conv_bytes_live", "Convolution cache as allocated, bytes", NULL},
    {"caches_equal", "Equal", NULL},
    {"flops_per_audio_second", "FLOPs a second of audio, by formula", "%.4g"},
    {"of_sgemm", "% of sgemm", "%.1f"},
    {"seconds", "Time, s", "%.4f"},
    {"cpu_seconds", "CPU time, s", "%.4f"},
    {"lost_percent", "% lost", "%.1f"},
    {"disturbed", "Disturbed runs", NULL},
    {"rtf", "Real-time factor", "%.4f"},
    {"mean_rtf", "Mean over utterances", "%.4f"},
    {"sd_rtf", "sd over utterances", "%.4f"},
    {"first_chunk_seconds", "To the first output, s (mean)", "%.4f"},
    {"sd_first_chunk_seconds", "sd", "%.4f"},
    {"attention", "Attention, % of time", "%.1f"},
    {"feed_forward", "Feed-forward, %", "%.1f"},
    {"convolution", "Convolution, %", "%.1f"},
    {"subsampling", "Subsampling, %", "%.1f"},
    {"other", "Other, %", "%.1f"},
    {"chunk_p50_seconds", "Chunk, s: p50", "%.4f"},
    {"chunk_p95_seconds", "p95", "%.4f"},
    {"chunk_p99_seconds", "p99", "%.4f"},
    {"chunk_p99_rtf", "Real-time factor of p99", "%.4f"},
    {"peak_memory_bytes", "Peak memory of the process, bytes", NULL},
    {NULL, NULL, NULL}};

static const double MIB = 1048576;

/* row[to] = from[key], which may be missing. */
static void take(json_t *row, const char *to, const json_t *from, const char *key) {
    json_t *value = json_object_get(from, key);
    json_object_set(row, to, value ? value : json_null());
}

static json_t *total_row(const json_t *r) {
    json_t *row = json_pack("{s:s}", "id", "total");
    take(row, "frames", r, "total_frames");
    take(row, "output_frames", r, "total_output_frames");
    take(row, "audio_seconds", r, "total_audio_seconds");
    static const char *const same[] = {
        "kv_bytes_formula", "kv_bytes_live", "conv_bytes_formula", "conv_bytes_live", "flops",
        "seconds",          "cpu_seconds",   "lost_percent",       "disturbed",       "rtf",
        "peak_memory_bytes"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        take(row, same[i], r, same[i]);
    return row;
}

static int caches_equal(const json_t *r) {
    return json_is_true(json_object_get(r, "formula_equals_live")) &&
           json_is_true(json_object_get(r, "conv_formula_equals_live"));
}

static json_t *model_row(const json_t *r) {
    const json_t *model = json_object_get(r, "model"), *chunks = json_object_get(r, "chunks"),
                 *parts = json_object_get(r, "parts");
    const json_t *seconds = json_object_get(chunks, "seconds");
    json_t *row = json_pack("{s:b}", "caches_equal", caches_equal(r));
    static const char *const of_model[] = {"model_type",   "attention_type", "latent_dim",
                                           "num_kv_heads", "kv_dtype",       "parameters"};
    static const char *const same[] = {"config",
                                       "kv_bytes_formula",
                                       "kv_bytes_live",
                                       "conv_bytes_formula",
                                       "conv_bytes_live",
                                       "flops_per_audio_second",
                                       "seconds",
                                       "cpu_seconds",
                                       "lost_percent",
                                       "disturbed",
                                       "rtf",
                                       "mean_rtf",
                                       "sd_rtf",
                                       "sd_first_chunk_seconds",
                                       "peak_memory_bytes"};
    for (size_t i = 0; i < sizeof of_model / sizeof *of_model; i++)
        take(row, of_model[i], model, of_model[i]);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        take(row, same[i], r, same[i]);
    take(row, "weights", json_object_get(r, "setting"), "weights");
    double chunk = json_number(json_object_get(r, "setting"), "chunk");
    json_object_set_new(row, "how", chunk > 0 ? json_sprintf("%.0f a call", chunk) : json_string("one call"));
    take(row, "utterances", r, "total_utterances");
    if (json_is_object(json_object_get(r, "sgemm")))
        json_object_set_new(row, "of_sgemm",
                            json_real(100 * json_number(json_object_get(r, "sgemm"), "share")));
    take(row, "frames", r, "total_frames");
    take(row, "first_chunk_seconds", r, "mean_first_chunk_seconds");
    for (size_t i = 0; attn_part_names[i]; i++)
        json_object_set_new(
            row, attn_part_names[i],
            json_real(100 * json_number(json_object_get(parts, attn_part_names[i]), "share")));
    take(row, "chunk_p50_seconds", seconds, "p50");
    take(row, "chunk_p95_seconds", seconds, "p95");
    take(row, "chunk_p99_seconds", seconds, "p99");
    take(row, "chunk_p99_rtf", json_object_get(chunks, "rtf"), "p99");
    return row;
}

/* `weights`: instead of the model's own; NULL: those. */
static void print_setting(const json_t *r, const char *weights, FILE *stream) {
    const json_t *setting = json_object_get(r, "setting"), *blas = json_object_get(setting, "blas");
    int speech = !strcmp(json_text(setting, "input"), "speech");
    if (speech)
        fprintf(stream, "Input: %s, split %s.", json_text(setting, "data"), json_text(setting, "split"));
    else
        fprintf(stream, "Input: random features; a frame stands for 10 ms of audio.");
    fprintf(stream, " Weights: %s", weights ? weights : json_text(setting, "weights"));
    if (json_object_get(setting, "seed"))
        fprintf(stream, " (seed %.0f)", json_number(setting, "seed"));
    if (json_number(setting, "chunk") > 0)
        fprintf(stream, ". Chunks of %.0f frames, counted after the input layer",
                json_number(setting, "chunk"));
    else
        fprintf(stream, ". Everything in one call");
    if (json_number(setting, "left_chunks") >= 0)
        fprintf(stream, ", %.0f chunks of cache kept", json_number(setting, "left_chunks"));
    fprintf(stream,
            ".\nImplementation %s, path %s, %s with %s kernels, %.0f thread(s). Time is the model's alone: "
            "the median of %.0f run(s) after a warm-up,\nfeatures and allocation outside; the real-time "
            "factor is time / length of audio. Totals: sums, the factor total time / total audio.\n",
            json_text(setting, "impl"), json_text(setting, "path"), json_text(blas, "library"),
            json_text(blas, "core"), fmax(json_number(setting, "threads"), json_number(blas, "threads")),
            json_number(setting, "runs"));
}

/* How it was measured; the same for all models of a run but for checkpoints, which the table then has. */
void profile_setting(const json_t *result, FILE *stream) {
    const json_t *models = json_object_get(result, "models"), *first = json_array_get(models, 0);
    const char *weights = json_text(json_object_get(first, "setting"), "weights");
    bool own = json_array_size(models) > 1 && strcmp(weights, "random");
    print_setting(first ? first : result, own ? "of each model" : NULL, stream);
}

/* Files of earlier versions lack it. */
static void print_lost(const json_t *r, FILE *stream) {
    if (json_is_number(json_object_get(r, "cpu_seconds")))
        fprintf(stream,
                "CPU time %.4f s: %.1f%% of the wall clock lost to others; %.0f of %.0f timed runs disturbed "
                "(over 1%% "
                "of their time lost, or a page read from disk).\n",
                json_number(r, "cpu_seconds"), json_number(r, "lost_percent"), json_number(r, "disturbed"),
                json_number(r, "timed_runs"));
}

static void print_sgemm(const json_t *sgemm, FILE *stream) {
    if (json_is_object(sgemm))
        fprintf(
            stream,
            "This machine's sgemm, measured between the runs (n = %.0f, the fastest call): %.4g GFLOP/s; the "
            "model reaches %.1f%% of it.\n",
            json_number(sgemm, "n"), json_number(sgemm, "flops_per_second") / 1e9,
            100 * json_number(sgemm, "share"));
}

static void print_parts(const json_t *r, FILE *stream) {
    fprintf(stream, "Time by part:");
    for (size_t i = 0; attn_part_names[i]; i++) {
        const json_t *part = json_object_get(json_object_get(r, "parts"), attn_part_names[i]);
        fprintf(stream, "%s %s %.1f%%", i ? "," : "", attn_part_names[i], 100 * json_number(part, "share"));
        if (json_is_number(json_object_get(part, "sd_share")))
            fprintf(stream, " (over utterances mean %.1f%%, sd %.1f)", 100 * json_number(part, "mean_share"),
                    100 * json_number(part, "sd_share"));
    }
    fprintf(stream, ".\n");
}

static void print_chunks(const json_t *chunks, FILE *stream) {
    const json_t *seconds = json_object_get(chunks, "seconds"), *rtf = json_object_get(chunks, "rtf");
    if (!json_is_object(chunks))
        return;
    fprintf(stream,
            "A full chunk (%.0f frames after the input layer, %.2f s of audio; %.0f of them): p50 %.4f s, "
            "p95 %.4f s, p99 %.4f s; "
            "real-time factor p50 %.4f, p95 %.4f, p99 %.4f.\n",
            json_number(chunks, "frames"), json_number(chunks, "audio_seconds"), json_number(chunks, "count"),
            json_number(seconds, "p50"), json_number(seconds, "p95"), json_number(seconds, "p99"),
            json_number(rtf, "p50"), json_number(rtf, "p95"), json_number(rtf, "p99"));
}

static void print_summary(const json_t *r, FILE *stream) {
    const json_t *model = json_object_get(r, "model");
    fprintf(stream, "\nModel: %s, attention type %s, %.0f layer(s), d_model %.0f, %.0f heads",
            json_text(model, "model_type"), json_text(model, "attention_type"),
            json_number(model, "num_layers"), json_number(model, "d_model"), json_number(model, "num_heads"));
    if (json_object_get(model, "latent_dim"))
        fprintf(stream, ", latent_dim %.0f", json_number(model, "latent_dim"));
    if (json_object_get(model, "num_kv_heads"))
        fprintf(stream, ", %.0f key/value head(s)", json_number(model, "num_kv_heads"));
    fprintf(stream, "; %.0f parameters, %.2f MiB of weights", json_number(model, "parameters"),
            json_number(model, "weight_bytes") / MIB);
    if (json_number(model, "packed_bytes") > 0)
        fprintf(stream, " and %.2f MiB of their packed copy", json_number(model, "packed_bytes") / MIB);
    if (json_number(r, "largest_positions_bytes") > 0)
        fprintf(stream, "; %.2f MiB of projected positions", json_number(r, "largest_positions_bytes") / MIB);
    fputs(".\n", stream);
    fprintf(stream, "KV cache in %s, by formula and as allocated: %s. Largest: %.3f MiB. ",
            json_text(model, "kv_dtype"),
            json_is_true(json_object_get(r, "formula_equals_live")) ? "equal" : "DIFFERENT",
            json_number(r, "largest_kv_bytes_live") / MIB);
    fprintf(stream, "Convolution cache: %s. Largest: %.3f MiB. Peak memory: ",
            json_is_true(json_object_get(r, "conv_formula_equals_live")) ? "equal" : "DIFFERENT",
            json_number(r, "largest_conv_bytes_live") / MIB);
    if (json_is_null(json_object_get(r, "peak_memory_bytes")))
        fprintf(stream, "unknown.\n");
    else
        fprintf(stream, "%.1f MiB.\n", json_number(r, "peak_memory_bytes") / MIB);
    fprintf(stream, "By formula %.4g FLOPs a second of audio, %.4g GFLOP/s in the time measured.\n",
            json_number(r, "flops_per_audio_second"),
            json_number(r, "flops") / json_number(r, "seconds") / 1e9);
    print_lost(r, stream);
    print_sgemm(json_object_get(r, "sgemm"), stream);
    print_parts(r, stream);
    if (json_is_number(json_object_get(r, "sd_rtf")))
        fprintf(
            stream,
            "Over %.0f utterances: real-time factor mean %.4f, sd %.4f; to the first output mean %.4f s, sd "
            "%.4f s.\n",
            json_number(r, "total_utterances"), json_number(r, "mean_rtf"), json_number(r, "sd_rtf"),
            json_number(r, "mean_first_chunk_seconds"), json_number(r, "sd_first_chunk_seconds"));
    print_chunks(json_object_get(r, "chunks"), stream);
}

static int print_one(const json_t *r, table_format format, FILE *stream, attn_error *error) {
    text_table t;
    const json_t *utterances = json_object_get(r, "utterances");
    table_init(&t, json_text(r, "config"), utterance_columns);
    for (size_t i = 0; i < json_array_size(utterances); i++)
        table_add(&t, json_incref(json_array_get(utterances, i)));
    table_add(&t, total_row(r));
    int result = table_write(&t, format, stream, error);
    if (!result && format == TABLE_MD) {
        print_summary(r, stream);
        profile_setting(r, stream);
    }
    table_free(&t);
    return result;
}

void profile_table_init(text_table *t, const char *title) {
    table_init(t, title, model_columns);
}

void profile_table_add(text_table *t, const json_t *result) {
    const json_t *models = json_object_get(result, "models");
    if (!models)
        table_add(t, model_row(result));
    for (size_t i = 0; i < json_array_size(models); i++)
        table_add(t, model_row(json_array_get(models, i)));
}

static int print_several(const json_t *result, table_format format, FILE *stream, attn_error *error) {
    text_table t;
    profile_table_init(&t, "Models");
    profile_table_add(&t, result);
    int written = table_write(&t, format, stream, error);
    if (!written && format == TABLE_MD) {
        fputc('\n', stream);
        profile_setting(result, stream);
    }
    table_free(&t);
    return written;
}

int profile_print(const json_t *result, table_format format, FILE *stream, attn_error *error) {
    const json_t *models = json_object_get(result, "models");
    if (format != TABLE_JSON)
        return models ? print_several(result, format, stream, error)
                      : print_one(result, format, stream, error);
    return json_print(result, JSON_INDENT(2), "results", stream, error);
}
