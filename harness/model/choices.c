#include "harness/model/choices.h"

#include "base/options.h"
#include "base/status.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int choose_impl(const char *value, attn_error *error) {
    attn_error inner = {0};
    if (option_choice("--impl", value, attn_impl_names, error) < 0)
        return STATUS_BAD_INPUT;
    for (size_t i = 0; attn_isa_names[i]; i++)
        if (!strcmp(value, attn_isa_names[i]) && attn_cpu_has((attn_isa)i, &inner)) {
            attn_fail_as(error, inner.code, "--impl %s: %s", value, inner.message);
            return STATUS_UNDECIDED;
        }
    return STATUS_OK;
}

int choose_packing(attn_model *model, const char *impl, const char *command, attn_error *error) {
    attn_error refused = {0};
    const attn_impl *used = attn_impl_find(attn_model_config(model)->variant, impl);
    if (!used || !used->packs || !attn_model_pack(model, &refused))
        return 0;
    if (refused.code != ATTN_ERROR_MEMORY)
        return attn_fail(error, "%s", refused.message);
    fprintf(stderr, "attnbench %s: %s: runs with weights as they are, slower\n", command, refused.message);
    return 0;
}

int choose_threads(attn_threads **threads, size_t count, attn_error *error) {
    attn_error inner = {0};
    if (count > 1 || (!getenv("OPENBLAS_NUM_THREADS") && !getenv("OMP_NUM_THREADS")))
        openblas_set_num_threads(1);
    if (!attn_threads_open(threads, count, NULL, &inner))
        return 0;
    return attn_fail_as(error, inner.code, "--threads %zu: %s", count, inner.message);
}

int choose_path(attn_path path, const attn_variant *variant, attn_error *error) {
    if (path == ATTN_PATH_AUTO || variant->has_latent)
        return 0;
    return attn_fail(error, "--path %s: goes with mla and mla_simple, %s attention has one way only",
                     attn_path_names[path], variant->name);
}

int choose_kv_dtype(attn_config *config, const char *value, attn_error *error) {
    attn_error inner = {0};
    int type = value ? option_choice("--kv-dtype", value, attn_kv_dtype_names, error) : (int)config->kv_dtype;
    if (type < 0)
        return -1;
    if (attn_cache_type_check(config->variant, (attn_element)type, &inner))
        return attn_fail_as(error, inner.code, "--kv-dtype: %s", inner.message);
    config->kv_dtype = (attn_element)type;
    return 0;
}
