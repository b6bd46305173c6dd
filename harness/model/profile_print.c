#include "harness/model/profile_print.h"

#include "attn/model.h"

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
    {"first_chunk_seconds", "To the first output, s", "%.4f"},
    {"rtf", "Real-time factor", "%.4f"},
    {"peak_memory_bytes", "Peak memory of the process, bytes", NULL},
    {NULL, NULL, NULL}};

static const table_column model_columns[] = {
    {"config", "Configuration", NULL},
    {"model_type", "Model", NULL},
    {"attention_type", "Attention", NULL},
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

static json_t *get(const json_t *object, const char *key) {
    return json_object_get(object, key);
}

static const char *text(const json_t *object, const char *key) {
    const char *found = json_string_value(get(object, key));
    return found ? found : "";
}

static double real(const json_t *object, const char *key) {
    return json_number_value(get(object, key));
}

/* row[to] = from[key], which may be missing. */
static void take(json_t *row, const char *to, const json_t *from, const char *key) {
    json_t *value = get(from, key);
    json_object_set(row, to, value ? value : json_null());
}

static json_t *total_row(const json_t *r) {
    json_t *row = json_pack("{s:s}", "id", "total");
    take(row, "frames", r, "total_frames");
    take(row, "output_frames", r, "total_output_frames");
    take(row, "audio_seconds", r, "total_audio_seconds");
    static const char *const same[] = {
        "kv_bytes_formula", "kv_bytes_live", "conv_bytes_formula", "conv_bytes_live", "flops",
        "seconds",          "rtf",           "peak_memory_bytes"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        take(row, same[i], r, same[i]);
    return row;
}

static int caches_equal(const json_t *r) {
    return json_is_true(get(r, "formula_equals_live")) && json_is_true(get(r, "conv_formula_equals_live"));
}

static json_t *model_row(const json_t *r) {
    const json_t *model = get(r, "model"), *chunks = get(r, "chunks"), *parts = get(r, "parts");
    const json_t *seconds = get(chunks, "seconds");
    json_t *row = json_pack("{s:b}", "caches_equal", caches_equal(r));
    static const char *const of_model[] = {"model_type", "attention_type", "parameters"};
    static const char *const same[] = {"config",
                                       "kv_bytes_formula",
                                       "kv_bytes_live",
                                       "conv_bytes_formula",
                                       "conv_bytes_live",
                                       "flops_per_audio_second",
                                       "seconds",
                                       "rtf",
                                       "mean_rtf",
                                       "sd_rtf",
                                       "sd_first_chunk_seconds",
                                       "peak_memory_bytes"};
    for (size_t i = 0; i < sizeof of_model / sizeof *of_model; i++)
        take(row, of_model[i], model, of_model[i]);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        take(row, same[i], r, same[i]);
    take(row, "utterances", r, "total_utterances");
    if (json_is_object(get(r, "sgemm")))
        json_object_set_new(row, "of_sgemm", json_real(100 * real(get(r, "sgemm"), "share")));
    take(row, "frames", r, "total_frames");
    take(row, "first_chunk_seconds", r, "mean_first_chunk_seconds");
    for (size_t i = 0; attn_part_names[i]; i++)
        json_object_set_new(row, attn_part_names[i],
                            json_real(100 * real(get(parts, attn_part_names[i]), "share")));
    take(row, "chunk_p50_seconds", seconds, "p50");
    take(row, "chunk_p95_seconds", seconds, "p95");
    take(row, "chunk_p99_seconds", seconds, "p99");
    take(row, "chunk_p99_rtf", get(chunks, "rtf"), "p99");
    return row;
}

/* How it was measured; the same for all models of a run. */
void profile_setting(const json_t *r, FILE *stream) {
    const json_t *setting = get(r, "setting"), *blas = get(setting, "blas");
    int speech = !strcmp(text(setting, "input"), "speech");
    if (speech)
        fprintf(stream, "Input: %s, split %s.", text(setting, "data"), text(setting, "split"));
    else
        fprintf(stream, "Input: random features; a frame stands for 10 ms of audio.");
    fprintf(stream, " Weights: %s", text(setting, "weights"));
    if (get(setting, "seed"))
        fprintf(stream, " (seed %.0f)", real(setting, "seed"));
    if (real(setting, "chunk") > 0)
        fprintf(stream, ". Chunks of %.0f frames, counted after the input layer", real(setting, "chunk"));
    else
        fprintf(stream, ". Everything in one call");
    if (real(setting, "left_chunks") >= 0)
        fprintf(stream, ", %.0f chunks of cache kept", real(setting, "left_chunks"));
    fprintf(stream,
            ".\nImplementation %s, path %s, %s with %s kernels, %.0f thread(s). Time is the model's alone: "
            "the median of %.0f run(s) after a warm-up,\nfeatures and allocation outside; the real-time "
            "factor is time / length of audio. Totals: sums, the factor total time / total audio.\n",
            text(setting, "impl"), text(setting, "path"), text(blas, "library"), text(blas, "core"),
            real(blas, "threads"), real(setting, "runs"));
}

static void print_sgemm(const json_t *sgemm, FILE *stream) {
    if (json_is_object(sgemm))
        fprintf(
            stream,
            "This machine's sgemm, measured between the runs (n = %.0f, the fastest call): %.4g GFLOP/s; the "
            "model reaches %.1f%% of it.\n",
            real(sgemm, "n"), real(sgemm, "flops_per_second") / 1e9, 100 * real(sgemm, "share"));
}

static void print_parts(const json_t *r, FILE *stream) {
    fprintf(stream, "Time by part:");
    for (size_t i = 0; attn_part_names[i]; i++) {
        const json_t *part = get(get(r, "parts"), attn_part_names[i]);
        fprintf(stream, "%s %s %.1f%%", i ? "," : "", attn_part_names[i], 100 * real(part, "share"));
        if (json_is_number(get(part, "sd_share")))
            fprintf(stream, " (over utterances mean %.1f%%, sd %.1f)", 100 * real(part, "mean_share"),
                    100 * real(part, "sd_share"));
    }
    fprintf(stream, ".\n");
}

static void print_chunks(const json_t *chunks, FILE *stream) {
    const json_t *seconds = get(chunks, "seconds"), *rtf = get(chunks, "rtf");
    if (!json_is_object(chunks))
        return;
    fprintf(stream,
            "A full chunk (%.0f frames after the input layer, %.2f s of audio; %.0f of them): p50 %.4f s, "
            "p95 %.4f s, p99 %.4f s; "
            "real-time factor p50 %.4f, p95 %.4f, p99 %.4f.\n",
            real(chunks, "frames"), real(chunks, "audio_seconds"), real(chunks, "count"),
            real(seconds, "p50"), real(seconds, "p95"), real(seconds, "p99"), real(rtf, "p50"),
            real(rtf, "p95"), real(rtf, "p99"));
}

static void print_summary(const json_t *r, FILE *stream) {
    const json_t *model = get(r, "model");
    fprintf(stream, "\nModel: %s, attention type %s, %.0f layer(s), d_model %.0f, %.0f heads",
            text(model, "model_type"), text(model, "attention_type"), real(model, "num_layers"),
            real(model, "d_model"), real(model, "num_heads"));
    if (get(model, "latent_dim"))
        fprintf(stream, ", latent_dim %.0f", real(model, "latent_dim"));
    if (get(model, "num_kv_heads"))
        fprintf(stream, ", %.0f key/value head(s)", real(model, "num_kv_heads"));
    fprintf(stream, "; %.0f parameters, %.2f MiB of weights.\n", real(model, "parameters"),
            real(model, "weight_bytes") / MIB);
    fprintf(stream, "KV cache by formula and as allocated: %s. Largest: %.3f MiB. ",
            json_is_true(get(r, "formula_equals_live")) ? "equal" : "DIFFERENT",
            real(r, "largest_kv_bytes_live") / MIB);
    fprintf(stream, "Convolution cache: %s. Largest: %.3f MiB. Peak memory: ",
            json_is_true(get(r, "conv_formula_equals_live")) ? "equal" : "DIFFERENT",
            real(r, "largest_conv_bytes_live") / MIB);
    if (json_is_null(get(r, "peak_memory_bytes")))
        fprintf(stream, "unknown.\n");
    else
        fprintf(stream, "%.1f MiB.\n", real(r, "peak_memory_bytes") / MIB);
    fprintf(stream, "By formula %.4g FLOPs a second of audio, %.4g GFLOP/s in the time measured.\n",
            real(r, "flops_per_audio_second"), real(r, "flops") / real(r, "seconds") / 1e9);
    print_sgemm(get(r, "sgemm"), stream);
    print_parts(r, stream);
    if (json_is_number(get(r, "sd_rtf")))
        fprintf(
            stream,
            "Over %.0f utterances: real-time factor mean %.4f, sd %.4f; to the first output mean %.4f s, sd "
            "%.4f s.\n",
            real(r, "total_utterances"), real(r, "mean_rtf"), real(r, "sd_rtf"),
            real(r, "mean_first_chunk_seconds"), real(r, "sd_first_chunk_seconds"));
    print_chunks(get(r, "chunks"), stream);
}

static int print_one(const json_t *r, table_format format, FILE *stream, attn_error *error) {
    table t;
    const json_t *utterances = get(r, "utterances");
    table_init(&t, text(r, "config"), utterance_columns);
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

void profile_table_init(table *t, const char *title) {
    table_init(t, title, model_columns);
}

void profile_table_add(table *t, const json_t *result) {
    const json_t *models = get(result, "models");
    if (!models)
        table_add(t, model_row(result));
    for (size_t i = 0; i < json_array_size(models); i++)
        table_add(t, model_row(json_array_get(models, i)));
}

static int print_several(const json_t *result, table_format format, FILE *stream, attn_error *error) {
    table t;
    profile_table_init(&t, "Models");
    profile_table_add(&t, result);
    int written = table_write(&t, format, stream, error);
    if (!written && format == TABLE_MD) {
        fputc('\n', stream);
        profile_setting(json_array_get(get(result, "models"), 0), stream);
    }
    table_free(&t);
    return written;
}

int profile_print(const json_t *result, table_format format, FILE *stream, attn_error *error) {
    const json_t *models = get(result, "models");
    if (format != TABLE_JSON)
        return models ? print_several(result, format, stream, error)
                      : print_one(result, format, stream, error);
    if (json_dumpf(result, stream, JSON_INDENT(2)) || fputc('\n', stream) == EOF)
        return attn_fail(error, "results cannot be written");
    return 0;
}
