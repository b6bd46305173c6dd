/* Random encoders, and runs of them; every failure ends the test. */
#ifndef TESTS_SUPPORT_MODELS_ENCODERS_H
#define TESTS_SUPPORT_MODELS_ENCODERS_H

#include "attn/model.h"

size_t pick(uint64_t *random, size_t count); /* 0..count-1 */

/* Any encoder of a handful of channels: every type and option. */
attn_config draw_config(uint64_t *random);

/* Attention layers alone, 16 channels and 4 heads. */
attn_config layer_config(const char *type, size_t layers);

attn_model *make_model(const attn_config *config, uint64_t seed);
attn_session *open_session(attn_model *model, attn_session_options options);
size_t width_of(const attn_model *model); /* d_model */

/* attn_free them. */
float *make_floats(size_t count);
float *random_floats(size_t count, uint64_t seed);

/* out [B, frames out, d_model]; attn_free it. Checks that running allocates nothing, and that the session
 * holds the bytes that it says. */
float *run(attn_model *model, attn_session_options options, const float *x, size_t frames,
           const size_t *lengths);

/* To a tolerance that is both absolute and relative. */
void check_floats(const float *a, const float *b, size_t count, double tolerance);

#endif
