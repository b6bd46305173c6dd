/* Rows of cases: each that is taken has a name that is taken for the same case. */
#include "tests/fuzz/fuzz.h"

#include "bench/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char row[2 * BENCH_NAME_MAX];
    bench_case c, again;
    attn_error error = {0};
    if (size >= sizeof row)
        return 0;
    memcpy(row, data, size);
    row[size] = '\0';
    int result = bench_case_parse(&c, row, &error);
    fuzz_check_error(result, &error);
    if (result)
        return 0;
    FUZZ_REQUIRE(!bench_case_parse(&again, c.name, &error) && !strcmp(again.name, c.name));
    FUZZ_REQUIRE(again.impl == c.impl && again.keys == c.keys && again.queries == c.queries &&
                 again.batch == c.batch && again.bytes == c.bytes && again.isa == c.isa);
    if (c.kind == BENCH_ATTENTION)
        FUZZ_REQUIRE(c.queries >= 1 && c.queries <= c.keys && c.geometry.d_model % c.geometry.num_heads == 0);
    return 0;
}
