#include "tests/fuzz/fuzz.h"

#include "attn/safetensors.h"

static void check_tensor(const attn_safetensors *file, const attn_safetensor *t, const uint8_t *data,
                         size_t size) {
    FUZZ_REQUIRE(t->data >= data && t->data + t->size <= data + size);
    FUZZ_REQUIRE(attn_safetensors_find(file, t->name) == t);
    if (t->dtype == ATTN_OTHER)
        return;
    float *out = malloc(t->count ? t->count * sizeof *out : 1);
    FUZZ_REQUIRE(out);
    attn_safetensor_floats(t, out);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    attn_safetensors *file;
    attn_error error = {0};
    int result = attn_safetensors_parse(&file, data, size, "W", &error);
    fuzz_check_error(result, &error);
    for (size_t i = 0; !result && i < attn_safetensors_count(file); i++)
        check_tensor(file, attn_safetensors_at(file, i), data, size);
    attn_safetensors_close(file);
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
