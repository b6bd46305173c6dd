#include "harness/conversion/tradeoff.h"

#include "attn/alloc.h"
#include "attn/compare.h"
#include "base/deviation.h"
#include "base/text/json.h"
#include "harness/conversion/convert_print.h"
#include "impl/convert/inputs.h"

#include <math.h>

const table_column tradeoff_columns[] = {{"subject", "Weights", NULL},
                                         {"method", "Method", NULL},
                                         {"latent_dim", "Cached numbers a frame", NULL},
                                         {"output_error", "Error of the output", "%.3g"},
                                         {"verdict", "Verdict", NULL},
                                         {"weights_error", "Error of K, V weights", "%.3g"},
                                         {"weights_bound", "Eckart-Young bound", "%.3g"},
                                         {"cache_bytes", "Cache, MiB", table_mib},
                                         {"cache_saved", "Saved", "%.1f%%"},
                                         {"held_out", "Held-out inputs", NULL},
                                         {NULL, NULL, NULL}};

size_t tradeoff_latent_dims(size_t latent_dims[16], size_t d_model) {
    static const size_t sixteenths[] = {1, 2, 3, 4, 6, 8, 10, 12, 14, 16};
    size_t count = 0;
    for (size_t i = 0; i < sizeof sixteenths / sizeof *sixteenths; i++) {
        size_t dim = d_model * sixteenths[i] / 16;
        if (dim >= 2 && (!count || latent_dims[count - 1] != dim))
            latent_dims[count++] = dim;
    }
    return count;
}

/* A model that is converted again and again. */
typedef struct trial {
    const tradeoff_plan *plan;
    const attn_config *config;
    attn_layer *original; /* [layers] */
    double *sigma;        /* [layers, d_model] of the stacked weights */
    attn_family **family; /* [layers] of the method at work; NULL: converted anew each time */
    float *first;         /* valid calibration inputs of layer 0 */
    size_t first_frames;
    float *wanted, *got; /* [B, frames, d_model] of the test inputs */
    size_t frames;
    text_table *table;
    attn_error *error;
} trial;

/* ---- Running the model ---- */

static void keep_first(void *context, size_t layer, const float *x, size_t batch, size_t frames,
                       const size_t *valid) {
    trial *t = context;
    size_t d = t->config->attention.d_model;
    if (layer || t->first)
        return;
    t->first = attn_valid_inputs(x, batch, frames, valid, d, &t->first_frames, t->error);
}

static int run(trial *t, float *out, const attn_calibration *in, attn_input_hook *hook) {
    attn_session_options options = {.batch = in->batch,
                                    .max_frames = in->frames,
                                    .left_chunks = -1,
                                    .one_cache = true,
                                    .input = hook,
                                    .input_context = t};
    attn_session *session;
    if (attn_session_open(&session, t->plan->model, &options, t->error))
        return -1;
    attn_session_run(session, out, in->x, in->frames, in->lengths, NULL, NULL);
    attn_session_close(session);
    return 0;
}

static int restore(trial *t) {
    for (size_t i = 0; i < t->config->num_layers; i++)
        if (attn_fold_layer(attn_model_attention(t->plan->model, i), &t->original[i], t->config->variant,
                            t->error))
            return -1;
    return 0;
}

/* ---- Points that are finished ---- */

enum { KEY = 400 };
static void name_point(char key[KEY], const tradeoff_plan *plan, const char *method, size_t numbers) {
    snprintf(key, KEY, "%s %zu %.300s", method, numbers, plan->subject);
}

static bool take_kept(const trial *t, const char *method, size_t numbers) {
    char key[KEY];
    name_point(key, t->plan, method, numbers);
    const json_t *row = steps_find(t->plan->steps, key);
    if (row)
        table_add(t->table, json_deep_copy(row));
    return row;
}

static int keep(trial *t, const char *method, size_t numbers, json_t *row) {
    char key[KEY];
    name_point(key, t->plan, method, numbers);
    table_add(t->table, json_incref(row));
    return steps_add(t->plan->steps, key, row, t->error);
}

/* ---- One point ---- */

/* Of all layers together, as the model has them now (heads in their old order). */
static double folded_error(const trial *t) {
    deviation d = {0};
    for (size_t layer = 0; layer < t->config->num_layers; layer++) {
        const attn_layer *a = &t->original[layer], *b = attn_model_attention(t->plan->model, layer);
        deviation_add(&d, b->k_proj.weight, a->k_proj.weight, a->k_proj.out * a->k_proj.in);
        deviation_add(&d, b->v_proj.weight, a->v_proj.weight, a->v_proj.out * a->v_proj.in);
    }
    return deviation_relative(&d);
}

/* The same from the reports of a conversion. */
static double reported_error(const trial *t, const attn_conversion *made) {
    double lost = 0.0, all = 0.0;
    size_t d = t->config->attention.d_model;
    for (size_t layer = 0; layer < made->layers; layer++) {
        double error = made->report[layer].weights_error, squared = 0.0;
        for (size_t i = 0; i < d; i++)
            squared += t->sigma[layer * d + i] * t->sigma[layer * d + i];
        lost += error * error * squared;
        all += squared;
    }
    return lost == 0.0 ? 0.0 : sqrt(lost / all);
}

static double weights_bound(const trial *t, size_t rank) {
    double lost = 0.0, all = 0.0;
    size_t d = t->config->attention.d_model;
    for (size_t layer = 0; layer < t->config->num_layers; layer++)
        for (size_t i = 0; i < d; i++) {
            double squared = t->sigma[layer * d + i] * t->sigma[layer * d + i];
            all += squared;
            lost += i < rank ? 0.0 : squared;
        }
    return lost == 0.0 ? 0.0 : sqrt(lost / all);
}

static int add_point(trial *t, const char *method, size_t numbers, bool is_latent, double weights_error) {
    const tradeoff_plan *plan = t->plan;
    size_t layers = t->config->num_layers, d = t->config->attention.d_model;
    deviation off = {0};
    if (run(t, t->got, &plan->test, NULL))
        return -1;
    for (size_t b = 0; b < plan->test.batch; b++) {
        size_t valid = plan->test.lengths ? attn_output_frames(t->config, plan->test.lengths[b]) : t->frames;
        deviation_add(&off, t->got + b * t->frames * d, t->wanted + b * t->frames * d, valid * d);
    }
    double error = deviation_relative(&off);
    size_t bytes = layers * numbers * plan->seq_len * sizeof(float);
    size_t before = layers * 2 * d * plan->seq_len * sizeof(float);
    json_t *row = json_pack(
        "{s:s, s:s, s:I, s:I, s:o, s:s, s:o, s:o, s:I, s:I, s:I, s:f, s:s, s:b, s:I}", "subject",
        plan->subject, "method", method, "latent_dim", (json_int_t)numbers, "d_model", (json_int_t)d,
        "output_error", json_finite(error), "verdict", deviation_verdict(error), "weights_error",
        json_finite(weights_error), "weights_bound", json_finite(is_latent ? weights_bound(t, numbers) : NAN),
        "cache_bytes", (json_int_t)bytes, "cache_bytes_mha", (json_int_t)before, "input_cache_bytes",
        (json_int_t)(before / 2), "cache_saved", 100.0 * (1.0 - (double)bytes / (double)before), "inputs",
        plan->inputs, "held_out", plan->held_out, "frames", (json_int_t)plan->seq_len);
    if (keep(t, method, numbers, row))
        return -1;
    fprintf(stderr, "attnbench analyze: %s: %s at %zu numbers a frame: error %.3g\n", plan->subject, method,
            numbers, error);
    return 0;
}

/* ---- Methods ---- */

static int make_families(trial *t, attn_convert_method method) {
    const attn_convert_target target = {.variant = attn_variant_find("mla_simple"), .method = method};
    const attn_layer_inputs inputs = {t->first, t->first_frames};
    for (size_t i = 0; i < t->config->num_layers; i++)
        if (attn_family_make(&t->family[i], &t->original[i], &target, &inputs, t->error))
            return -1;
    return 0;
}

static void free_families(trial *t) {
    for (size_t i = 0; t->family && i < t->config->num_layers; i++) {
        attn_family_free(t->family[i]);
        t->family[i] = NULL;
    }
}

static int fold_families(trial *t, size_t rank) {
    for (size_t i = 0; i < t->config->num_layers; i++)
        if (attn_family_fold(attn_model_attention(t->plan->model, i), t->family[i], rank, t->error))
            return -1;
    return 0;
}

static int convert(trial *t, const attn_convert_target *target, double *weights_error) {
    attn_convert_options options = {.target = *target, .calibration = t->plan->calibration};
    attn_conversion made;
    int result = attn_convert_model(&made, t->plan->model, &options, t->error);
    if (!result)
        *weights_error = reported_error(t, &made);
    attn_conversion_free(&made);
    return result;
}

/* The factors of a layer do not depend on other layers unless inputs do: only then is each size made anew. */
static int sweep_latent(trial *t, attn_convert_method method) {
    attn_convert_target target = {.variant = attn_variant_find("mla_simple"), .method = method};
    bool anew = method == ATTN_CONVERT_ACTIVATION && t->config->num_layers > 1;
    bool made = anew;
    int result = 0;
    for (size_t i = 0; !result && i < t->plan->count; i++) {
        target.latent_dim = t->plan->latent_dims[i];
        double lost = 0.0;
        if (take_kept(t, attn_convert_method_names[method], target.latent_dim))
            continue;
        if (!made && make_families(t, method)) {
            result = -1;
            break;
        }
        made = true;
        result = anew ? convert(t, &target, &lost) : fold_families(t, target.latent_dim);
        if (!result)
            result = add_point(t, attn_convert_method_names[method], target.latent_dim, true,
                               anew ? lost : folded_error(t));
        result = restore(t) ? -1 : result;
    }
    free_families(t);
    return result;
}

/* Sizes up to d_model numbers a frame, as latents go. */
static int sweep_gqa(trial *t, attn_convert_method method, const char *name) {
    const attn_geometry *g = &t->config->attention;
    int result = 0;
    for (size_t kv_heads = 1; !result && 2 * kv_heads <= g->num_heads; kv_heads++) {
        if (g->num_heads % kv_heads)
            continue;
        attn_convert_target target = {
            .variant = attn_variant_find("gqa"), .method = method, .num_kv_heads = kv_heads};
        double lost = 0.0;
        if (take_kept(t, name, 2 * kv_heads * attn_head_dim(g)))
            continue;
        result = convert(t, &target, &lost);
        if (!result)
            result = add_point(t, name, 2 * kv_heads * attn_head_dim(g), false, lost);
        result = restore(t) ? -1 : result;
    }
    return result;
}

static int prepare(trial *t) {
    const tradeoff_plan *plan = t->plan;
    size_t layers = t->config->num_layers, d = t->config->attention.d_model;
    t->frames = attn_output_frames(t->config, plan->test.frames);
    size_t floats = plan->test.batch * t->frames,
           seen = plan->calibration.batch * attn_output_frames(t->config, plan->calibration.frames);
    t->original = attn_alloc(layers, sizeof *t->original, "layers", t->error);
    t->sigma = attn_alloc(layers * d, sizeof *t->sigma, "singular values", t->error);
    t->family = attn_alloc(layers, sizeof *t->family, "factors", t->error);
    t->wanted = attn_alloc(floats > seen ? floats : seen, d * sizeof *t->wanted, "output", t->error);
    t->got = attn_alloc(floats, d * sizeof *t->got, "output", t->error);
    if (!t->original || !t->sigma || !t->family || !t->wanted || !t->got)
        return -1;
    for (size_t i = 0; i < layers; i++)
        if (attn_fold_layer(&t->original[i], attn_model_attention(plan->model, i), t->config->variant,
                            t->error) ||
            attn_stacked_spectrum(t->sigma + i * d, &t->original[i], t->config->variant, t->error))
            return -1;
    if (run(t, t->wanted, &plan->calibration, keep_first) || !t->first)
        return -1;
    if (run(t, t->wanted, &plan->test, NULL))
        return -1;
    return attn_first_nonfinite(t->wanted, floats * d) == floats * d
               ? 0
               : attn_fail(t->error,
                           "%s: its output on these inputs is not finite numbers, nothing is compared",
                           plan->subject);
}

int tradeoff_measure(text_table *into, const tradeoff_plan *plan, attn_error *error) {
    trial t = {.plan = plan, .config = attn_model_config(plan->model), .table = into, .error = error};
    int result = prepare(&t);
    for (attn_convert_method m = ATTN_CONVERT_AVERAGE; !result && m <= ATTN_CONVERT_ACTIVATION; m++)
        result = sweep_latent(&t, m);
    if (!result)
        result = sweep_gqa(&t, ATTN_CONVERT_MEAN, "gqa mean");
    if (!result)
        result = sweep_gqa(&t, ATTN_CONVERT_ACTIVATION, "gqa activation");
    for (size_t i = 0; t.original && i < t.config->num_layers; i++)
        attn_layer_free(&t.original[i]);
    free_families(&t);
    attn_free(t.original);
    attn_free(t.sigma);
    attn_free(t.family);
    attn_free(t.first);
    attn_free(t.wanted);
    attn_free(t.got);
    return result;
}
