#include "tests/fuzz/fuzz.h"

#include "attn/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    attn_array array;
    attn_error error = {0};
    int result = attn_npy_parse(&array, (const char *)data, size, "X.npy", &error);
    fuzz_check_error(result, &error);
    if (!result) {
        size_t count = 1;
        for (size_t i = 0; i < array.rank; i++)
            count *= array.dims[i];
        FUZZ_REQUIRE(array.rank >= 1 && array.rank <= ATTN_NPY_RANK && count >= 1);
        FUZZ_REQUIRE(attn_alloc_size(array.data) == count * sizeof(float));
        FUZZ_REQUIRE(!memcmp(array.data, data + size - count * sizeof(float), count * sizeof(float)));
    }
    attn_free(array.data);
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
