/* units.txt: whatever is read encodes what it decodes to. */
#include "tests/fuzz/fuzz.h"

#include "datasets/units.h"

/* The text of a few labels, in numbers, means the same text again. */
static void check_round_trip(const units *u) {
    attn_error error = {0};
    int32_t some[4], *labels;
    size_t count;
    for (size_t i = 0; i < 4; i++)
        some[i] = (int32_t)(1 + i % (u->count - 1));
    char *text = units_decode(u, some, 4, &error);
    FUZZ_REQUIRE(text);
    if (!units_encode(u, text, "id", &labels, &count, &error)) {
        char *again = units_decode(u, labels, count, &error);
        FUZZ_REQUIRE(again && !strcmp(text, again));
        attn_free(again);
        attn_free(labels);
    }
    attn_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    units u;
    attn_error error = {0};
    int result = units_parse(&u, (const char *)data, size, "F", &error);
    fuzz_check_error(result, &error);
    if (!result) {
        for (size_t i = 0; i < u.count; i++)
            FUZZ_REQUIRE(units_find(&u, u.tokens[i]) == (long)i);
        check_round_trip(&u);
        units_free(&u);
    }
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
