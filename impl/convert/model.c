/* Whole models: layer by layer, each on what the converted ones before it give. */
#include "impl/model/model.h"

#include "attn/alloc.h"
#include "impl/attention/variant_names.h"
#include "impl/convert/layer.h"

#include <string.h>

/* One walk over the layers, which converts them or only looks at how much error each rank would leave. */
typedef struct attn_pass {
    attn_conversion *conversion;
    attn_model *model;
    const attn_convert_options *options;
    const size_t *ranks; /* [layers]; NULL: the target's */
    bool looks;
    bool failed;
    attn_error *error;
} attn_pass;

static int look(attn_pass *pass, size_t layer, const attn_moments *moments, attn_error *error) {
    return attn_error_curve_make(&pass->conversion->curve[layer], &pass->model->blocks[layer].attention,
                                 &pass->options->target, moments, error);
}

static int convert(attn_pass *pass, size_t layer, const attn_moments *moments, attn_error *error) {
    attn_conversion *c = pass->conversion;
    attn_layer *mha = &pass->model->blocks[layer].attention;
    attn_convert_target target = pass->options->target;
    if (pass->ranks)
        target.latent_dim = pass->ranks[layer];
    if (attn_convert_with(&c->layer[layer], &c->report[layer], mha, &target, moments, error))
        return -1;
    return attn_fold_layer(mha, &c->layer[layer], target.variant, error);
}

static int visit_layer(attn_pass *pass, size_t layer, const attn_moments *moments) {
    const attn_convert_options *options = pass->options;
    attn_error why = {0};
    if ((pass->looks ? look : convert)(pass, layer, moments, &why))
        return attn_fail_as(pass->error, why.code, "layer %zu: %s", layer, why.message);
    if (options->progress)
        options->progress(options->progress_context, layer, pass->conversion->layers,
                          pass->looks ? NULL : &pass->conversion->report[layer]);
    return 0;
}

/* An attn_input_hook. The layer's weights are the converted ones when it goes on. */
static void see_inputs(void *context, size_t layer, const float *x, size_t batch, size_t frames,
                       const size_t *valid) {
    attn_pass *pass = context;
    size_t d = pass->model->config.attention.d_model;
    attn_layer_inputs inputs = {0};
    attn_moments moments = {0};
    attn_error why = {0};
    if (pass->failed)
        return;
    float *rows = attn_valid_inputs(x, batch, frames, valid, d, &inputs.frames, pass->error);
    inputs.x = rows;
    pass->failed = !rows;
    if (!pass->failed && attn_moments_make(&moments, &inputs, d, &why)) {
        attn_fail_as(pass->error, why.code, "layer %zu: %s", layer, why.message);
        pass->failed = true;
    }
    attn_free(rows);
    if (!pass->failed)
        pass->failed = visit_layer(pass, layer, &moments);
    attn_moments_free(&moments);
}

static int run_on_data(attn_pass *pass, const attn_calibration *data) {
    attn_session_options options = {.batch = data->batch,
                                    .max_frames = data->frames,
                                    .left_chunks = -1,
                                    .one_cache = true,
                                    .input = see_inputs,
                                    .input_context = pass};
    attn_session *session = NULL;
    float *out = NULL;
    if (attn_session_open(&session, pass->model, &options, pass->error))
        return -1;
    size_t frames = attn_output_frames(&pass->model->config, data->frames);
    out =
        attn_alloc(data->batch * frames, attn_session_width(session) * sizeof(float), "output", pass->error);
    pass->failed = !out;
    if (out)
        attn_session_run(session, out, data->x, data->frames, data->lengths, NULL, NULL);
    attn_free(out);
    attn_session_close(session);
    return pass->failed ? -1 : 0;
}

static int run_pass(attn_pass *pass) {
    const attn_calibration *data = &pass->options->calibration;
    bool by_inputs = pass->options->target.method == ATTN_CONVERT_ACTIVATION;
    if (data->x && !(pass->looks && !by_inputs))
        return run_on_data(pass, data);
    for (size_t layer = 0; layer < pass->conversion->layers; layer++)
        if (visit_layer(pass, layer, NULL))
            return -1;
    return 0;
}

static int check_data(const attn_calibration *data, const attn_convert_options *options,
                      const attn_config *config, attn_error *error) {
    size_t frames = 0;
    if (!data->x)
        return options->target.method == ATTN_CONVERT_ACTIVATION
                   ? attn_fail(error, "method activation: needs calibration data")
                   : 0;
    for (size_t b = 0; b < data->batch; b++)
        frames += attn_output_frames(config, data->lengths ? data->lengths[b] : data->frames);
    return frames ? 0 : attn_fail(error, "calibration data: no frame is left after the input layer");
}

int attn_convert_options_check(const attn_convert_options *options, const attn_config *config,
                               attn_error *error) {
    attn_convert_target target = options->target;
    bool spreads = options->total_ranks || options->target_error > 0.0;
    if (strcmp(config->variant->name, "mha"))
        return attn_fail(error, "attention_type: found %s, expected mha", config->variant->name);
    if (!attn_uses_attention(config))
        return attn_fail(error, "the model has no attention: cgmlp_weight gives the other branch everything");
    if (spreads && (!target.variant || !target.variant->has_latent)) {
        char types[ATTN_VARIANT_NAMES_TEXT];
        attn_variant_names_text(types, ATTN_TAKES_LATENT, " or ");
        return attn_fail(error, "a budget or an error to reach: needs a latent_dim to choose, for %s", types);
    }
    if (spreads && target.method == ATTN_CONVERT_AVERAGE)
        return attn_fail(error,
                         "method average: has no error that falls with each latent dimension, so there "
                         "is nothing to spread a budget by");
    if (spreads && config->num_layers > ATTN_LATENT_LAYERS)
        return attn_fail(error, "num_layers: found %zu, expected at most %d that differ in latent_dim",
                         config->num_layers, ATTN_LATENT_LAYERS);
    if (spreads)
        target.latent_dim = config->attention.d_model;
    return attn_convert_check(&target, &config->attention, error);
}

static void set_config(attn_conversion *c, const attn_variant *variant) {
    attn_config *config = &c->config;
    config->variant = variant;
    config->attention.latent_dim = config->attention.num_kv_heads = 0;
    memset(config->latent_dims, 0, sizeof config->latent_dims);
    bool differ = false;
    for (size_t i = 0; i < c->layers; i++) {
        const attn_geometry *g = &c->layer[i].geometry;
        differ |= g->latent_dim != c->layer[0].geometry.latent_dim;
        config->attention.latent_dim = attn_larger(config->attention.latent_dim, g->latent_dim);
        config->attention.num_kv_heads = g->num_kv_heads;
    }
    for (size_t i = 0; differ && i < c->layers; i++)
        config->latent_dims[i] = (uint32_t)c->layer[i].geometry.latent_dim;
}

static int open_conversion(attn_conversion *c, const attn_config *config, attn_error *error) {
    *c = (attn_conversion){.config = *config, .layers = config->num_layers};
    c->layer = attn_alloc(c->layers, sizeof *c->layer, "converted layers", error);
    c->report = attn_alloc(c->layers, sizeof *c->report, "reports of layers", error);
    return c->layer && c->report ? 0 : -1;
}

static int spread(attn_pass *pass, size_t *ranks, attn_error *error) {
    attn_conversion *c = pass->conversion;
    const attn_convert_options *options = pass->options;
    c->curve = attn_alloc(c->layers, sizeof *c->curve, "error curves", error);
    if (!c->curve)
        return -1;
    pass->looks = true;
    if (run_pass(pass))
        return -1;
    pass->looks = false;
    return options->total_ranks
               ? attn_spread_ranks(ranks, c->curve, c->layers, options->total_ranks, error)
               : attn_spread_for_error(ranks, c->curve, c->layers, options->target_error, error);
}

int attn_convert_model(attn_conversion *c, attn_model *model, const attn_convert_options *options,
                       attn_error *error) {
    *c = (attn_conversion){0};
    if (attn_convert_options_check(options, &model->config, error) ||
        check_data(&options->calibration, options, &model->config, error) ||
        open_conversion(c, &model->config, error))
        return -1;
    attn_pass pass = {.conversion = c, .model = model, .options = options, .error = error};
    size_t *ranks = NULL;
    int result = 0;
    if (options->total_ranks || options->target_error > 0.0) {
        ranks = attn_alloc(c->layers, sizeof *ranks, "ranks", error);
        result = ranks ? spread(&pass, ranks, error) : -1;
        pass.ranks = ranks;
    }
    if (!result)
        result = run_pass(&pass);
    if (!result)
        set_config(c, options->target.variant);
    attn_free(ranks);
    return result;
}

int attn_fold_model(attn_conversion *c, attn_model *model, attn_error *error) {
    if (open_conversion(c, &model->config, error))
        return -1;
    if (!attn_uses_attention(&model->config))
        return attn_fail(error, "the model has no attention: cgmlp_weight gives the other branch everything");
    for (size_t i = 0; i < c->layers; i++)
        if (attn_fold_layer(&c->layer[i], &model->blocks[i].attention, model->config.variant, error))
            return -1;
    set_config(c, attn_variant_find("mha"));
    return 0;
}

void attn_conversion_free(attn_conversion *c) {
    for (size_t i = 0; i < c->layers; i++) {
        if (c->layer)
            attn_layer_free(&c->layer[i]);
        if (c->curve)
            attn_free(c->curve[i].left);
    }
    attn_free(c->layer);
    attn_free(c->report);
    attn_free(c->curve);
    *c = (attn_conversion){0};
}
