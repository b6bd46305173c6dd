#include "harness/profile_print.h"

#include <string.h>

static const table_column utterance_columns[] = {
    {"id", "Utterance", NULL},
    {"frames", "Frames", NULL},
    {"output_frames", "After the input layer", NULL},
    {"audio_seconds", "Audio, s", "%.2f"},
    {"kv_bytes_formula", "KV cache by formula, bytes", NULL},
    {"kv_bytes_live", "KV cache as allocated, bytes", NULL},
    {"seconds", "Time, s", "%.4f"},
    {"first_chunk_seconds", "To the first output, s", "%.4f"},
    {"rtf", "Real-time factor", "%.4f"},
    {"peak_memory_bytes", "Peak memory of the process, bytes", NULL},
    {NULL, NULL, NULL}};

static const table_column model_columns[] = {{"config", "Configuration", NULL},
                                             {"model_type", "Model", NULL},
                                             {"attention_type", "Attention", NULL},
                                             {"parameters", "Parameters", NULL},
                                             {"utterances", "Utterances", NULL},
                                             {"frames", "Frames", NULL},
                                             {"kv_bytes_formula", "KV cache by formula, bytes", NULL},
                                             {"kv_bytes_live", "KV cache as allocated, bytes", NULL},
                                             {"formula_equals_live", "Equal", NULL},
                                             {"seconds", "Time, s", "%.4f"},
                                             {"rtf", "Real-time factor", "%.4f"},
                                             {"sd_rtf", "sd over utterances", "%.4f"},
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

static json_t *total_row(const json_t *r) {
    return json_pack("{s:s, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O}", "id", "total", "frames",
                     get(r, "total_frames"), "output_frames", get(r, "total_output_frames"), "audio_seconds",
                     get(r, "total_audio_seconds"), "kv_bytes_formula", get(r, "kv_bytes_formula"),
                     "kv_bytes_live", get(r, "kv_bytes_live"), "seconds", get(r, "seconds"), "rtf",
                     get(r, "rtf"), "peak_memory_bytes", get(r, "peak_memory_bytes"));
}

static json_t *model_row(const json_t *r) {
    const json_t *model = get(r, "model");
    return json_pack(
        "{s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:O}", "config", get(r, "config"),
        "model_type", get(model, "model_type"), "attention_type", get(model, "attention_type"), "parameters",
        get(model, "parameters"), "utterances", get(r, "total_utterances"), "frames", get(r, "total_frames"),
        "kv_bytes_formula", get(r, "kv_bytes_formula"), "kv_bytes_live", get(r, "kv_bytes_live"),
        "formula_equals_live", get(r, "formula_equals_live"), "seconds", get(r, "seconds"), "rtf",
        get(r, "rtf"), "sd_rtf", get(r, "sd_rtf"), "peak_memory_bytes", get(r, "peak_memory_bytes"));
}

/* How it was measured; the same for all models of a run. */
static void print_setting(const json_t *r, FILE *stream) {
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
        fprintf(stream, ". Chunks of %.0f frames", real(setting, "chunk"));
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

static void print_summary(const json_t *r, FILE *stream) {
    const json_t *model = get(r, "model"), *sd = get(r, "sd_rtf");
    fprintf(stream, "\nModel: %s, attention type %s, %.0f layer(s), d_model %.0f, %.0f heads",
            text(model, "model_type"), text(model, "attention_type"), real(model, "num_layers"),
            real(model, "d_model"), real(model, "num_heads"));
    if (get(model, "latent_dim"))
        fprintf(stream, ", latent_dim %.0f", real(model, "latent_dim"));
    if (get(model, "num_kv_heads"))
        fprintf(stream, ", %.0f key/value head(s)", real(model, "num_kv_heads"));
    fprintf(stream, "; %.0f parameters, %.2f MiB of weights.\n", real(model, "parameters"),
            real(model, "weight_bytes") / MIB);
    fprintf(stream, "KV cache by formula and as allocated: %s. Largest: %.3f MiB. Peak memory: ",
            json_is_true(get(r, "formula_equals_live")) ? "equal" : "DIFFERENT",
            real(r, "largest_kv_bytes_live") / MIB);
    if (json_is_null(get(r, "peak_memory_bytes")))
        fprintf(stream, "unknown.\n");
    else
        fprintf(stream, "%.1f MiB.\n", real(r, "peak_memory_bytes") / MIB);
    if (json_is_number(sd))
        fprintf(stream, "Real-time factor over %.0f utterances: mean %.4f, sd %.4f.\n",
                real(r, "total_utterances"), real(r, "mean_rtf"), json_number_value(sd));
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
        print_setting(r, stream);
    }
    table_free(&t);
    return result;
}

static int print_several(const json_t *models, table_format format, FILE *stream, attn_error *error) {
    table t;
    table_init(&t, "Models", model_columns);
    for (size_t i = 0; i < json_array_size(models); i++)
        table_add(&t, model_row(json_array_get(models, i)));
    int result = table_write(&t, format, stream, error);
    if (!result && format == TABLE_MD) {
        fputc('\n', stream);
        print_setting(json_array_get(models, 0), stream);
    }
    table_free(&t);
    return result;
}

int profile_print(const json_t *result, table_format format, FILE *stream, attn_error *error) {
    const json_t *models = get(result, "models");
    if (format != TABLE_JSON)
        return models ? print_several(models, format, stream, error)
                      : print_one(result, format, stream, error);
    if (json_dumpf(result, stream, JSON_INDENT(2)) || fputc('\n', stream) == EOF)
        return attn_fail(error, "results cannot be written");
    return 0;
}
