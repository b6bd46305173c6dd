/* Opening and closing a session: what was asked for, checked and planned. */
#include "impl/model/session.h"

#include "attn/alloc.h"
#include "attn/error.h"

#include <string.h>

static int check_impl(attn_session *session, attn_error *error) {
    const attn_variant *variant = session->model->config.variant;
    const char *name = session->options.impl ? session->options.impl : "auto";
    session->impl = attn_impl_find(variant, name);
    if (!session->impl)
        return attn_fail(error,
                         "impl: %s attention has no implementation %s, "
                         "expected auto, scalar, blas, fused, base, avx2 or avx512",
                         variant->name, name);
    session->isa = attn_impl_isa(name);
    attn_error inner = {0};
    if (strcmp(session->impl->name, name) && strcmp(name, "auto") && attn_cpu_has(session->isa, &inner))
        return attn_fail_as(error, inner.code, "impl: %s", inner.message);
    if (attn_impl_reads(session->impl, session->model->config.kv_dtype, &inner))
        return attn_fail_as(error, inner.code, "kv_dtype: %s", inner.message);
    if (session->options.threads && !session->impl->shares)
        return attn_fail_as(
            error, ATTN_ERROR_UNSUPPORTED,
            "threads: implementation %s of %s attention runs on one thread, %zu were asked for",
            session->impl->name, variant->name, attn_threads_count(session->options.threads));
    session->ops = !strcmp(session->impl->name, "scalar") ? &attn_encoder_scalar
                   : !strcmp(session->impl->name, "blas") ? &attn_encoder_blas
                                                          : &attn_encoder_fast;
    return 0;
}

static int check_options(const attn_session_options *options, const attn_config *config, attn_error *error) {
    if (!options->batch)
        return attn_fail(error, "batch: found 0 utterances, expected at least 1");
    if (options->left_chunks < -1)
        return attn_fail(error, "left_chunks: found %ld, expected -1 (all) or more", options->left_chunks);
    if (options->chunk && options->left_chunks > 0 && !config->variant->forgets)
        return attn_fail(error,
                         "left_chunks: found %ld, but the state of %s attention cannot forget some frames; "
                         "expected -1 (keep all) or 0 (keep none)",
                         options->left_chunks, config->variant->name);
    if (options->one_cache && (options->chunk || config->latent_dims[0]))
        return attn_fail(error,
                         "one_cache: layers of one size in whole calls can share a cache, others cannot");
    if (options->logits && !config->vocab_size)
        return attn_fail(error, "logits: the model has no output layer (vocab_size is 0)");
    return 0;
}

/* Frames of each call and of the cache. The largest product of sizes is checked here, once. */
static int plan_frames(attn_session *session, attn_error *error) {
    const attn_session_options *options = &session->options;
    const attn_config *config = &session->model->config;
    size_t frames = attn_output_frames(config, options->max_frames), floats;
    session->max_frames = frames;
    session->call_frames = options->chunk ? attn_smaller(options->chunk, frames) : frames;
    session->capacity = attn_smaller(frames, attn_plus(attn_session_kept(session), options->chunk));
    size_t width = attn_larger(attn_larger(config->vocab_size, config->input_dim), config->attention.d_model);
    width = attn_larger(width, attn_larger(config->ff_units, config->cgmlp_units));
    if (attn_add(&floats, attn_larger(frames, options->max_frames), config->conv_kernel_size) ||
        attn_multiply(&floats, floats, options->batch) || attn_multiply(&floats, floats, width) ||
        attn_multiply(&floats, floats, 256))
        return attn_fail(error, "max_frames: %zu frames of %zu utterances do not fit the address space",
                         options->max_frames, options->batch);
    return 0;
}

int attn_session_open(attn_session **opened, attn_model *model, const attn_session_options *options,
                      attn_error *error) {
    *opened = NULL;
    if (check_options(options, &model->config, error))
        return -1;
    attn_session *session = attn_alloc(1, sizeof *session, "session", error);
    if (!session)
        return -1;
    session->model = model;
    session->options = *options;
    if (check_impl(session, error) || plan_frames(session, error) || attn_session_allocate(session, error)) {
        attn_session_close(session);
        return -1;
    }
    *opened = session;
    return 0;
}

void attn_session_close(attn_session *session) {
    if (!session)
        return;
    attn_session_release(session);
    attn_free(session);
}
