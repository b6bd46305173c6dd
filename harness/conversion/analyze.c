#include "harness/conversion/analyze.h"

#include "attn/alloc.h"
#include "base/deviation.h"
#include "base/text/json.h"
#include "harness/conversion/analyze_costs.h"
#include "harness/conversion/convert_print.h"
#include "impl/convert/inputs.h"

#include <math.h>
#include <string.h>

const table_column analyze_columns[] = {{"where", "Where", NULL},
                                        {"latent_dim", "Cached numbers a frame", NULL},
                                        {"mse", "MSE", "%.3g"},
                                        {"mae", "MAE", "%.3g"},
                                        {"relative_error", "Relative error", "%.3g"},
                                        {"cosine", "Cosine", "%.6f"},
                                        {"verdict", "Verdict", NULL},
                                        {"input_error", "Drift of its input", "%.3g"},
                                        {"weights_error", "Error of K, V weights", "%.3g"},
                                        {"weights_bound", "Eckart-Young bound", "%.3g"},
                                        {"produced_error", "Error of K, V produced", "%.3g"},
                                        {"produced_bound", "Least possible", "%.3g"},
                                        {"energy_kept", "Energy kept at most", "%.6f"},
                                        {"weights_rank", "Rank of the weights", NULL},
                                        {"sigma_first", "Largest singular value", "%.3g"},
                                        {"sigma_cut", "First one cut off", "%.3g"},
                                        {"cache_bytes", "Cache bytes", NULL},
                                        {"cache_bytes_mha", "of mha", NULL},
                                        {"parameters", "Parameters", NULL},
                                        {"parameters_mha", "of mha", NULL},
                                        {"decode_us", "Decode, us a frame", "%.2f"},
                                        {"decode_us_mha", "of mha", "%.2f"},
                                        {"decode_cpu_us", "CPU time, us", "%.2f"},
                                        {"decode_cpu_us_mha", "of mha", "%.2f"},
                                        {"decode_lost_percent", "% lost", "%.1f"},
                                        {"decode_lost_percent_mha", "of mha", "%.1f"},
                                        {"decode_disturbed", "Disturbed runs", NULL},
                                        {"decode_disturbed_mha", "of mha", NULL},
                                        {NULL, NULL, NULL}};

const table_column analyze_model_columns[] = {{"model", "Model", NULL},
                                              {"attention_type", "Attention", NULL},
                                              {"latent_dim", "latent_dim", NULL},
                                              {"num_kv_heads", "Key/value heads", NULL},
                                              {"mse", "MSE", "%.3g"},
                                              {"mae", "MAE", "%.3g"},
                                              {"relative_error", "Relative error", "%.3g"},
                                              {"cosine", "Cosine", "%.6f"},
                                              {"verdict", "Verdict", NULL},
                                              {"cache_bytes", "Cache bytes", NULL},
                                              {"parameters", "Parameters", NULL},
                                              {"decode_us", "Decode, us a frame", "%.2f"},
                                              {"decode_cpu_us", "CPU time, us", "%.2f"},
                                              {"decode_lost_percent", "% lost", "%.1f"},
                                              {"decode_disturbed", "Disturbed runs", NULL},
                                              {NULL, NULL, NULL}};

int analyze_check(const attn_config *mha, const attn_config *other, attn_error *error) {
    const attn_geometry *a = &mha->attention, *b = &other->attention;
    if (strcmp(mha->variant->name, "mha"))
        return attn_fail(error, "--mha: its attention_type is %s, expected mha", mha->variant->name);
    if (!other->variant->is_softmax)
        return attn_fail(error, "--mla: its attention_type is %s, expected mla, mla_simple, gqa or mha",
                         other->variant->name);
    const struct {
        const char *key;
        size_t mha, other;
    } same[] = {{"model_type", mha->model_type, other->model_type},
                {"d_model", a->d_model, b->d_model},
                {"num_heads", a->num_heads, b->num_heads},
                {"num_layers", mha->num_layers, other->num_layers},
                {"input_dim", mha->input_dim, other->input_dim},
                {"input_layer", mha->input_layer, other->input_layer},
                {"pos_enc", a->pos_enc, b->pos_enc}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (same[i].mha != same[i].other)
            return attn_fail(error, "--mla: its %s differs from that of --mha (%zu and %zu)", same[i].key,
                             same[i].other, same[i].mha);
    return 0;
}

/* ---- Running ---- */

/* What is gathered while both models run. */
typedef struct gathering {
    const analyze_plan *plan;
    json_t *rows;  /* one a layer */
    float **seen;  /* [layers]: valid inputs in the mha model */
    size_t failed; /* layers that could not be compared */
    attn_error *error;
} gathering;

/* out [B, frames, d_model] = one whole call of the layer by itself. */
static int run_layer(float *out, const attn_layer *layer, const attn_variant *variant, const float *x,
                     size_t batch, size_t frames, const size_t *valid, attn_error *error) {
    const attn_geometry *g = &layer->geometry;
    const attn_impl *impl = attn_impl_find(variant, "auto");
    attn_cache cache = {0};
    attn_sinusoids sinusoids = {0};
    void *workspace =
        attn_alloc(impl->workspace(g, batch, frames, frames, ATTN_PATH_AUTO, 1), 1, "workspace", error);
    int result = workspace && !attn_sinusoids_init(&sinusoids, frames, g->d_model, error)
                     ? attn_cache_init(&cache, variant, g, batch, frames, ATTN_ELEMENT_F32, error)
                     : -1;
    if (!result) {
        attn_call call = {
            .x = x, .batch = batch, .frames = frames, .lengths = valid, .sinusoids = &sinusoids};
        impl->forward(out, layer, &cache, &call, workspace);
    }
    attn_cache_free(&cache);
    attn_sinusoids_free(&sinusoids);
    attn_free(workspace);
    return result;
}

static int compare_outputs(gathering *g, size_t layer, const float *x, size_t batch, size_t frames,
                           const size_t *valid) {
    const attn_layer *mha = attn_model_attention(g->plan->mha, layer);
    const attn_layer *other = attn_model_attention(g->plan->other, layer);
    size_t d = mha->geometry.d_model;
    float *wanted = attn_alloc(batch * frames, d * sizeof *wanted, "output of a layer", g->error);
    float *got = attn_alloc(batch * frames, d * sizeof *got, "output of a layer", g->error);
    int result = -1;
    if (wanted && got &&
        !run_layer(wanted, mha, attn_model_config(g->plan->mha)->variant, x, batch, frames, valid,
                   g->error) &&
        !run_layer(got, other, attn_model_config(g->plan->other)->variant, x, batch, frames, valid,
                   g->error)) {
        deviation d_out = {0};
        deviation_add_frames(&d_out, got, wanted, batch, frames, valid, d);
        deviation_describe(&d_out, json_array_get(g->rows, layer));
        result = isfinite(d_out.squared) ? 0
                                         : attn_fail(g->error,
                                                     "layer %zu: its outputs on these inputs are not finite "
                                                     "numbers, nothing is compared",
                                                     layer);
    }
    attn_free(wanted);
    attn_free(got);
    return result;
}

static int compare_weights(gathering *g, size_t layer, const attn_layer_inputs *inputs) {
    const attn_layer *mha = attn_model_attention(g->plan->mha, layer);
    size_t d = mha->geometry.d_model;
    attn_convert_report r;
    json_t *row = json_array_get(g->rows, layer);
    double *sigma = attn_alloc(d, sizeof *sigma, "singular values", g->error);
    int result = -1;
    if (sigma &&
        !attn_compare_layers(&r, mha, attn_model_attention(g->plan->other, layer),
                             attn_model_config(g->plan->other)->variant, inputs, g->error) &&
        !attn_stacked_spectrum(sigma, mha, attn_model_config(g->plan->mha)->variant, g->error)) {
        json_t *more = json_pack(
            "{s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "latent_dim", (json_int_t)r.latent_dim,
            "weights_error", json_finite(r.weights_error), "weights_bound", json_finite(r.weights_bound),
            "produced_error", json_finite(r.produced_error), "produced_bound", json_finite(r.produced_bound),
            "energy_kept", json_finite(1.0 - r.weights_bound * r.weights_bound), "weights_rank",
            (json_int_t)r.weights_rank, "sigma_first", json_finite(sigma[0]), "sigma_cut",
            json_finite(isnan(r.weights_bound) ? NAN
                        : r.latent_dim < d     ? sigma[r.latent_dim]
                                               : 0.0));
        json_object_update(row, more);
        json_decref(more);
        json_t *list = g->plan->spectrum ? json_array() : NULL;
        for (size_t i = 0; list && i < d; i++)
            json_array_append_new(list, json_finite(sigma[i]));
        if (list)
            json_object_set_new(row, "spectrum", list);
        result = 0;
    }
    attn_free(sigma);
    return result;
}

/* An attn_input_hook of the mha model. */
static void see_mha(void *context, size_t layer, const float *x, size_t batch, size_t frames,
                    const size_t *valid) {
    gathering *g = context;
    attn_layer_inputs inputs;
    size_t d = attn_model_config(g->plan->mha)->attention.d_model;
    if (g->failed)
        return;
    g->seen[layer] = attn_valid_inputs(x, batch, frames, valid, d, &inputs.frames, g->error);
    inputs.x = g->seen[layer];
    g->failed += !g->seen[layer] || compare_outputs(g, layer, x, batch, frames, valid) ||
                 compare_weights(g, layer, &inputs);
    if (!g->failed)
        fprintf(stderr, "attnbench analyze: layer %zu compared\n", layer);
}

/* Of the other one. */
static void see_other(void *context, size_t layer, const float *x, size_t batch, size_t frames,
                      const size_t *valid) {
    gathering *g = context;
    size_t count, d = attn_model_config(g->plan->mha)->attention.d_model;
    if (g->failed)
        return;
    float *rows = attn_valid_inputs(x, batch, frames, valid, d, &count, g->error);
    deviation drift = {0};
    if (rows)
        deviation_add(&drift, rows, g->seen[layer], count * d);
    g->failed += !rows;
    json_object_set_new(json_array_get(g->rows, layer), "input_error",
                        json_finite(deviation_relative(&drift)));
    attn_free(rows);
}

/* *out [B, frames, d_model] of a model over the inputs; attn_free it. */
static int run_model(float **out, attn_model *model, attn_input_hook *hook, gathering *g) {
    const attn_calibration *in = g->plan->inputs;
    const attn_config *config = attn_model_config(model);
    bool one_size = !config->latent_dims[0];
    attn_session_options options = {.batch = in->batch,
                                    .max_frames = in->frames,
                                    .left_chunks = -1,
                                    .one_cache = one_size,
                                    .input = hook,
                                    .input_context = g};
    attn_session *session;
    *out = NULL;
    if (attn_session_open(&session, model, &options, g->error))
        return -1;
    size_t frames = attn_output_frames(config, in->frames);
    *out = attn_alloc(in->batch * frames, attn_session_width(session) * sizeof **out, "output", g->error);
    if (*out)
        attn_session_run(session, *out, in->x, in->frames, in->lengths, NULL, NULL);
    attn_session_close(session);
    return *out && !g->failed ? 0 : -1;
}

static int run_both(gathering *g, deviation *output) {
    const attn_calibration *in = g->plan->inputs;
    const attn_config *config = attn_model_config(g->plan->mha);
    size_t frames = attn_output_frames(config, in->frames), d = config->attention.d_model;
    float *wanted = NULL, *got = NULL;
    int result = run_model(&wanted, g->plan->mha, see_mha, g);
    if (!result)
        result = run_model(&got, g->plan->other, see_other, g);
    for (size_t b = 0; !result && b < in->batch; b++) {
        size_t valid = in->lengths ? attn_output_frames(config, in->lengths[b]) : frames;
        deviation_add(output, got + b * frames * d, wanted + b * frames * d, valid * d);
    }
    attn_free(wanted);
    attn_free(got);
    return result;
}

static json_t *new_rows(size_t layers) {
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < layers; i++) {
        char where[32];
        snprintf(where, sizeof where, "layer %zu", i);
        json_array_append_new(rows, json_pack("{s:s}", "where", where));
    }
    return rows;
}

static int fill(text_table *t, const analyze_plan *plan, gathering *g, attn_error *error) {
    deviation output = {0};
    json_t *last = json_pack("{s:s}", "where", "output, sums"), *row;
    size_t i;
    int result = last ? run_both(g, &output) : attn_no_memory(error, NULL);
    if (!result)
        result = analyze_add_costs(g->rows, last, plan->mha, "_mha", plan->seq_len, plan->runs, error);
    if (!result)
        result = analyze_add_costs(g->rows, last, plan->other, "", plan->seq_len, plan->runs, error);
    if (!result) {
        deviation_describe(&output, last);
        json_array_foreach(g->rows, i, row) {
            table_add(t, json_incref(row));
        }
        table_add(t, json_incref(last));
    }
    json_decref(last);
    return result;
}

/* A model that sees other features than the one it is compared with. */
static int check_features(const analyze_plan *plan, attn_error *error) {
    if (attn_model_normalizes(plan->mha) == attn_model_normalizes(plan->other))
        return 0;
    return attn_fail(
        error, "--mla: its checkpoint %s global_cmvn.*, which that of --mha %s: they see different features",
        attn_model_normalizes(plan->other) ? "has" : "lacks",
        attn_model_normalizes(plan->mha) ? "has" : "lacks");
}

int analyze_models(text_table *t, const analyze_plan *plan, attn_error *error) {
    if (check_features(plan, error))
        return -1;
    size_t layers = attn_model_config(plan->mha)->num_layers;
    gathering g = {.plan = plan, .rows = new_rows(layers), .error = error};
    g.seen = attn_alloc(layers, sizeof *g.seen, "inputs of layers", error);
    int result = -1;
    if (!g.rows || json_array_size(g.rows) != layers)
        attn_no_memory(error, NULL);
    else if (g.seen)
        result = fill(t, plan, &g, error);
    for (size_t i = 0; g.seen && i < layers; i++)
        attn_free(g.seen[i]);
    attn_free(g.seen);
    json_decref(g.rows);
    return result;
}
