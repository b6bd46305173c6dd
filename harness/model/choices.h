/* What --impl and --path say, checked against this CPU and the type of attention. */
#ifndef HARNESS_MODEL_CHOICES_H
#define HARNESS_MODEL_CHOICES_H

#include "attn/attention.h"
#include "attn/error.h"

/* What --impl says: of attn_impl_names. Returns STATUS_OK; STATUS_BAD_INPUT when there is no such
 * implementation; STATUS_UNDECIDED when it needs instructions that this CPU lacks. */
int choose_impl(const char *value, attn_error *error);
#define CHOOSE_IMPL_HELP                                                                                     \
    "auto, scalar, blas, fused; or base, avx2, avx512: the fastest with our kernels held to that set"

/* 0 unless --path says expand or absorb and the type has no latent to choose for. */
int choose_path(attn_path path, const attn_variant *variant, attn_error *error);

#endif
