/* Random small encoders: every option that a type takes. For `attnbench verify` and the tests. */
#ifndef HARNESS_VERIFY_ENCODER_DRAW_H
#define HARNESS_VERIFY_ENCODER_DRAW_H

#include "attn/model.h"

/* A handful of channels in one or two blocks. Fails only where a geometry cannot be completed, which would be
 * a defect. */
int encoder_draw(attn_config *config, attn_model_type model_type, const attn_variant *variant,
                 uint64_t *random, attn_error *error);

/* A model of random weights whose norms are not left at 1 and 0, where mistakes would hide. */
int encoder_draw_model(attn_model **model, const attn_config *config, uint64_t seed, attn_error *error);

/* What distinguishes `config` from other draws, in one line. */
void encoder_draw_text(char text[256], const attn_config *config);

#endif
