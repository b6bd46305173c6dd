/* What follows from the configuration and the options of a session alone. */
#include "impl/model/session.h"

static bool streams(const attn_session *session) {
    return session->options.chunk != 0;
}

bool attn_streams_conv(const attn_session *session) {
    const attn_config *config = &session->model->config;
    return streams(session) && config->causal && config->conv_kernel_size > 1 &&
           (config->model_type == ATTN_MODEL_CONFORMER || attn_uses_cgmlp(config));
}

bool attn_streams_gates(const attn_session *session) {
    return attn_streams_conv(session) && session->model->config.model_type == ATTN_MODEL_CONFORMER;
}

bool attn_streams_conv2d(const attn_session *session) {
    return streams(session) && session->model->config.input_layer == ATTN_INPUT_CONV2D;
}

bool attn_adds_positions(const attn_config *config) {
    return config->attention.pos_enc == ATTN_POS_ABS;
}

bool attn_session_is_contiguous(const attn_session *session) {
    return session->options.batch == 1 || !streams(session);
}

size_t attn_session_kept(const attn_session *session) {
    const attn_session_options *options = &session->options;
    return streams(session) && options->left_chunks >= 0
               ? attn_times((size_t)options->left_chunks, options->chunk)
               : SIZE_MAX;
}

size_t attn_session_conv_floats(const attn_session *session) {
    const attn_config *config = &session->model->config;
    return session->options.batch * (config->conv_kernel_size - 1) * attn_conv_cache_width(config);
}

size_t attn_session_input_frames(const attn_config *config, size_t frames, size_t consumed) {
    return consumed ? attn_frame_factor(config->input_layer) * frames : attn_input_frames(config, frames);
}

size_t attn_session_width(const attn_session *session) {
    const attn_config *config = &session->model->config;
    return session->options.logits ? config->vocab_size : config->attention.d_model;
}

size_t attn_session_layers(const attn_session *session) {
    return session->model->config.num_layers;
}

const attn_cache *attn_session_cache(const attn_session *session, size_t layer) {
    return &session->caches[layer];
}
