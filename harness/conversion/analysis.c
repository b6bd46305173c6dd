#include "harness/conversion/analysis.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/utf8.h"
#include "harness/conversion/analyze.h"

#include <string.h>
#include <unistd.h>

/* The model and the inputs, next to the numbers of the output, for readers of the JSON alone. */
static void say_of_what(text_table *t, const char *subject, const char *inputs) {
    json_t *output = json_array_get(t->rows, json_array_size(t->rows) - 1);
    json_object_set_new(output, "subject", utf8_json(subject));
    json_object_set_new(output, "inputs", utf8_json(inputs));
}

int analysis_compare(text_table *t, char **title, const analysis *s, attn_error *error) {
    attn_config configs[2];
    attn_model *models[2] = {NULL, NULL};
    calibration inputs = {0};
    char *what = NULL, *subject = NULL;
    int result = -1;
    if (analysis_load(&models[0], &configs[0], s->mha, s->mha_weights, s, error) ||
        analysis_load(&models[1], &configs[1], s->other, s->other_weights, s, error) ||
        analyze_check(&configs[0], &configs[1], error) || analysis_features(&inputs, s, &configs[0], error) ||
        !(what = analysis_features_text(s, &inputs, error)) ||
        !(subject = analysis_subject(s->mha, &configs[0], error)))
        goto done;
    analyze_plan plan = {.mha = models[0],
                         .other = models[1],
                         .inputs = &inputs.at,
                         .seq_len = s->seq_len,
                         .runs = s->runs,
                         .spectrum = s->spectrum};
    *title = attn_format(error,
                         "%s against mha on %s; cache at %zu frames, decoding with %zu keys: median of %zu "
                         "runs, random weights of that size, one thread",
                         configs[1].variant->name, what, s->seq_len, s->seq_len, s->runs);
    t->title = *title;
    result = *title ? analyze_models(t, &plan, error) : -1;
    if (!result)
        say_of_what(t, subject, what);
done:
    attn_free(subject);
    attn_free(what);
    calibration_free(&inputs);
    attn_model_free(models[0]);
    attn_model_free(models[1]);
    return result;
}

static json_t *model_entry(const char *path, const attn_config *config) {
    const attn_geometry *g = &config->attention;
    json_t *row = json_pack("{s:o, s:s}", "model", utf8_json(path), "attention_type", config->variant->name);
    if (row && config->variant->has_latent)
        json_object_set_new(row, "latent_dim", json_integer((json_int_t)g->latent_dim));
    if (row && config->variant->has_kv_heads)
        json_object_set_new(row, "num_kv_heads", json_integer((json_int_t)g->num_kv_heads));
    return row;
}

/* The costs of the mha model itself, which every comparison has. */
static void add_mha(text_table *t, const analysis *s, const attn_config *config, const json_t *compared) {
    static const char *const costs[][2] = {{"cache_bytes", "cache_bytes_mha"},
                                           {"parameters", "parameters_mha"},
                                           {"decode_us", "decode_us_mha"},
                                           {"decode_cpu_us", "decode_cpu_us_mha"},
                                           {"decode_lost_percent", "decode_lost_percent_mha"},
                                           {"decode_disturbed", "decode_disturbed_mha"}};
    json_t *row = model_entry(s->mha, config);
    for (size_t i = 0; row && i < sizeof costs / sizeof *costs; i++)
        json_object_set(row, costs[i][0], json_object_get(compared, costs[i][1]));
    table_add(t, row);
}

static void add_output(text_table *t, const char *path, const attn_config *config, json_t *output) {
    json_t *row = model_entry(path, config);
    if (row)
        json_object_update(row, output);
    table_add(t, row);
}

/* "mla against mha on ..." of one becomes that of all. */
static int retitle(char **title, attn_error *error) {
    char *of_one = *title;
    *title = attn_format(error, "models%s", strstr(of_one, " against "));
    attn_free(of_one);
    return *title ? 0 : -1;
}

int analysis_compare_several(text_table *t, char **title, const analysis *s, const char *const *others,
                             const char *const *weights, attn_error *error) {
    attn_config mha, other;
    int result = attn_config_read(&mha, s->mha, NULL, error);
    for (size_t i = 0; !result && others[i]; i++) {
        analysis one = *s;
        text_table layers;
        one.other = others[i];
        one.other_weights = weights ? weights[i] : NULL;
        attn_free(*title);
        *title = NULL;
        table_init(&layers, NULL, analyze_columns);
        result = analysis_compare(&layers, title, &one, error);
        if (!result)
            result = attn_config_read(&other, others[i], NULL, error);
        json_t *output = result ? NULL : json_array_get(layers.rows, json_array_size(layers.rows) - 1);
        if (output && !i)
            add_mha(t, s, &mha, output);
        if (output)
            add_output(t, others[i], &other, output);
        table_free(&layers);
    }
    if (!result)
        result = retitle(title, error);
    t->title = *title;
    return result;
}

int analysis_fold(const analysis *s, const char *out_config, const char *out_weights, attn_error *error) {
    attn_config config;
    attn_model *model = NULL;
    attn_conversion made = {0};
    char *text = NULL, *weights = analysis_weights_path(s->other, s->other_weights, error);
    int result = -1;
    if (!weights || analysis_load(&model, &config, s->other, s->other_weights, s, error) ||
        attn_fold_model(&made, model, error) || !(text = attn_config_format(&made.config, error)) ||
        attn_conversion_save(&made, &config, weights, out_weights, error))
        goto done;
    result = attn_write_file(out_config, text, strlen(text), error);
    if (result)
        unlink(out_weights); /* both or none */
done:
    attn_free(text);
    attn_free(weights);
    attn_conversion_free(&made);
    attn_model_free(model);
    return result;
}
