/* What --impl, --path and --kv-dtype say, checked against this CPU and the type of attention. */
#ifndef HARNESS_MODEL_CHOICES_H
#define HARNESS_MODEL_CHOICES_H

#include "attn/config.h"
#include "attn/error.h"
#include "attn/model.h"
#include "attn/threads.h"

/* What --impl says: of attn_impl_names. Returns STATUS_OK; STATUS_BAD_INPUT when there is no such
 * implementation; STATUS_UNDECIDED when it needs instructions that this CPU lacks. */
int choose_impl(const char *value, attn_error *error);
#define CHOOSE_IMPL_HELP                                                                                     \
    "auto, scalar, blas, fused; or base, avx2, avx512: the fastest with our kernels held to that set"

/* Packs the weights where that implementation reads them so. Without the memory for it the model runs unpacked, slower, and
 * `command` says so on stderr. Returns 0, or -1 and an error. */
int choose_packing(attn_model *model, const char *impl, const char *command, attn_error *error);

/* What --threads says, started: NULL for one. OpenBLAS, which would start threads of its own, then has one too, unless the
 * environment says how many. Returns 0, or -1 and an error. */
int choose_threads(attn_threads **threads, size_t count, attn_error *error);
#define CHOOSE_THREADS_HELP "that share the work (default 1); the same number gives the same bits"
enum { CHOOSE_THREADS_MOST = ATTN_THREADS_MAX };

/* 0 unless --path says expand or absorb and the type has no latent to choose for. */
int choose_path(attn_path path, const attn_variant *variant, attn_error *error);

/* The configuration's kv_dtype becomes what --kv-dtype says; NULL leaves it as it is. */
int choose_kv_dtype(attn_config *config, const char *value, attn_error *error);
#define CHOOSE_KV_DTYPE_HELP                                                                                 \
    "type of the KV cache: f32, f16, bf16 or q8_0 (default: the configuration's kv_dtype)"

#endif
