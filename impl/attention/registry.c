/* The rows of the registry, and who is meant by a name. */
#include "attn/attention.h"

#include "impl/attention/variant.h"

#include <string.h>

const attn_variant *const attn_variants[] = {
#define VARIANT(name) &attn_variant_##name,
#include "impl/attention/variants.inc"
#undef VARIANT
    NULL};

const attn_variant *attn_variant_find(const char *name) {
    for (size_t i = 0; attn_variants[i]; i++)
        if (!strcmp(attn_variants[i]->name, name))
            return attn_variants[i];
    return NULL;
}

const char *const attn_impl_names[] = {ATTN_IMPL_NAMES, NULL};

static int find_isa(const char *name) {
    for (int i = 0; attn_isa_names[i]; i++)
        if (!strcmp(attn_isa_names[i], name))
            return i;
    return -1;
}

attn_isa attn_impl_isa(const char *name) {
    int isa = find_isa(name);
    return isa < 0 ? ATTN_ISA_AVX512 : (attn_isa)isa;
}

const attn_impl *attn_impl_find(const attn_variant *variant, const char *name) {
    const attn_impl *last = NULL;
    for (size_t i = 0; i < ATTN_IMPLS && variant->impls[i].name; i++) {
        if (!strcmp(variant->impls[i].name, name))
            return &variant->impls[i];
        last = &variant->impls[i];
    }
    return strcmp(name, "auto") && find_isa(name) < 0 ? NULL : last;
}

int attn_impl_reads(const attn_impl *impl, attn_element type, attn_error *error) {
    if (!impl->f32_only || type == ATTN_ELEMENT_F32)
        return 0;
    return attn_fail_as(
        error, ATTN_ERROR_UNSUPPORTED,
        "implementation %s reads caches in f32 only, not in %s, as matrix products take floats "
        "(auto, fused and scalar read all types)",
        impl->name, attn_kv_dtype_names[type]);
}
