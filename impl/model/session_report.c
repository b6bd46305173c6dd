/* What a session is, holds and costs. */
#include "impl/model/session.h"

#include "attn/alloc.h"

const char *const attn_part_names[] = {"subsampling", "attention", "feed_forward",
                                       "convolution", "other",     NULL};
#ifdef ATTN_NO_PARTS
const bool attn_parts_are_marked = false;
#else
const bool attn_parts_are_marked = true;
#endif

const char *attn_stream_note(const attn_config *config) {
    bool convolves = config->model_type == ATTN_MODEL_CONFORMER || attn_uses_cgmlp(config);
    if (convolves && !config->causal && config->conv_kernel_size > 1)
        return "the convolutions are not causal: in chunks they see zeros beyond each chunk";
    if (attn_uses_cgmlp(config) && config->merge_method == ATTN_MERGE_LEARNED_AVE)
        return "merge_method learned_ave: in chunks the branches are weighed by each chunk alone";
    return "";
}

size_t attn_session_kv_bytes_live(const attn_session *session) {
    size_t bytes = 0;
    for (size_t i = 0; i < attn_session_layers(session); i++)
        bytes += attn_cache_bytes_live(&session->caches[i]);
    return bytes;
}

size_t attn_session_kv_bytes_formula(const attn_session *session) {
    const attn_config *config = &session->model->config;
    size_t frames = session->widest ? session->widest : session->capacity;
    if (!attn_uses_attention(config))
        return 0;
    size_t bytes = 0, caches = session->options.one_cache ? 1 : config->num_layers;
    for (size_t i = 0; i < caches; i++) {
        attn_geometry g = attn_config_geometry(config, i);
        bytes += config->variant->cache_bytes(&g, session->options.batch, frames, config->kv_dtype);
    }
    return bytes;
}

size_t attn_session_conv_bytes_live(const attn_session *session) {
    return attn_alloc_size(session->conv) + attn_alloc_size(session->gates) + attn_alloc_size(session->carry);
}

size_t attn_session_conv_bytes_formula(const attn_session *session) {
    const attn_config *config = &session->model->config;
    size_t batch = session->options.batch, floats = 0;
    size_t kept = attn_streams_gates(session) ? 2 : 1; /* inputs, and their gates */
    if (attn_streams_conv(session))
        floats += kept * config->num_layers * batch * (config->conv_kernel_size - 1) *
                  attn_conv_cache_width(config);
    if (attn_streams_conv2d(session))
        floats += batch * SUBSAMPLING_CARRY * config->input_dim;
    return floats * sizeof(float);
}

size_t attn_session_workspace_bytes(const attn_session *session) {
    const void *const blocks[] = {session->positions, session->sinusoids.fine, session->projected,
                                  session->packed, session->memory};
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        bytes += attn_alloc_size(blocks[i]);
    return bytes;
}

/* Rows of a linear map; biases are left out, as everywhere in this project. */
static double linear_flops(double rows, size_t out, size_t in) {
    return 2.0 * rows * (double)out * (double)in;
}

/* Of `batch` utterances with `count` rows of output each. Windows of the second convolution share a row of the
 * first with the next one, so that n of them span 2 n + 1 rows. */
static double input_flops(const attn_config *config, const attn_embed *embed, double batch, double count) {
    double rows = batch * count;
    size_t d_model = config->attention.d_model;
    if (config->input_layer == ATTN_INPUT_NONE)
        return 0.0;
    double flops = linear_flops(rows, d_model, embed->out.in);
    if (config->input_layer == ATTN_INPUT_CONV2D)
        flops += linear_flops(batch * (2.0 * count + 1.0) * (double)embed->bins[1], d_model, 9) +
                 linear_flops(rows * (double)embed->bins[2], d_model, 9 * d_model);
    return flops;
}

/* Of one block next to its attention, over `rows` frames. */
static void block_flops(double parts[ATTN_PARTS], const attn_config *config, const attn_cgmlp *cgmlp,
                        double rows) {
    size_t d = config->attention.d_model, half = config->cgmlp_units / 2, kernel = config->conv_kernel_size;
    if (config->model_type == ATTN_MODEL_CONFORMER) {
        double modules = config->one_feed_forward ? 1.0 : 2.0;
        parts[ATTN_PART_FEED_FORWARD] += modules * linear_flops(2.0 * rows, config->ff_units, d);
        parts[ATTN_PART_CONVOLUTION] +=
            linear_flops(rows, 2 * d, d) + linear_flops(rows, d, kernel) + linear_flops(rows, d, d);
    }
    if (attn_uses_cgmlp(config)) {
        parts[ATTN_PART_FEED_FORWARD] += linear_flops(rows, 3 * half, d);
        parts[ATTN_PART_CONVOLUTION] += linear_flops(rows, half, kernel + (cgmlp->has_linear ? half : 0));
    }
    if (config->model_type == ATTN_MODEL_BRANCHFORMER)
        parts[ATTN_PART_OTHER] +=
            linear_flops(rows, d, config->merge_method == ATTN_MERGE_CONCAT ? 2 * d : d);
}

/* Of all layers. */
static double call_attention_flops(const attn_session *session, size_t frames, size_t keys) {
    const attn_config *config = &session->model->config;
    const attn_variant *variant = config->variant;
    size_t batch = session->options.batch;
    double flops = 0.0;
    for (size_t i = 0; attn_uses_attention(config) && i < config->num_layers; i++) {
        attn_geometry g = attn_config_geometry(config, i);
        attn_path path = attn_path_resolve(variant, &g, batch, frames, keys, session->options.path);
        flops +=
            attn_impl_cost(variant, session->impl, &g, batch, frames, keys, path, config->kv_dtype).flops;
    }
    return flops;
}

double attn_session_flops(const attn_session *session, size_t frames, double parts[ATTN_PARTS]) {
    const attn_model *model = session->model;
    const attn_config *config = &model->config;
    const attn_session_options *options = &session->options;
    size_t total = attn_output_frames(config, frames), held = 0;
    double sums[ATTN_PARTS] = {0}, flops = 0.0;
    for (size_t first = 0; first < total; first += session->call_frames) {
        size_t count = attn_smaller(session->call_frames, total - first);
        held = attn_smaller(held, attn_session_kept(session)) + count;
        double rows = (double)options->batch * (double)count, layers = (double)config->num_layers;
        double block[ATTN_PARTS] = {0};
        block_flops(block, config, &model->blocks[0].cgmlp, rows);
        for (size_t part = 0; part < ATTN_PARTS; part++)
            sums[part] += layers * block[part];
        sums[ATTN_PART_ATTENTION] += call_attention_flops(session, count, held);
        sums[ATTN_PART_SUBSAMPLING] +=
            input_flops(config, &model->embed, (double)options->batch, (double)count);
        if (options->logits)
            sums[ATTN_PART_OTHER] += linear_flops(rows, config->vocab_size, config->attention.d_model);
    }
    for (size_t part = 0; part < ATTN_PARTS; part++) {
        flops += sums[part];
        if (parts)
            parts[part] = sums[part];
    }
    return flops;
}
