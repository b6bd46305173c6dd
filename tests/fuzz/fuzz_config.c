#include "tests/fuzz/fuzz.h"

#include "attn/config.h"

/* What was read is valid, and survives being written and read again. */
static void check_config(const attn_config *config) {
    attn_error error = {0};
    attn_config back;
    char note[256];
    FUZZ_REQUIRE(!attn_config_check(config, "F", &error));
    char *text = attn_config_format(config, &error);
    FUZZ_REQUIRE(text);
    FUZZ_REQUIRE(!attn_config_parse(&back, text, strlen(text), "F", note, &error));
    FUZZ_REQUIRE(!note[0]);
    char *again = attn_config_format(&back, &error);
    FUZZ_REQUIRE(again && !strcmp(text, again));
    attn_free(text);
    attn_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    attn_config config;
    attn_error error = {0};
    char note[256];
    int result = attn_config_parse(&config, (const char *)data, size, "F", note, &error);
    fuzz_check_error(result, &error);
    FUZZ_REQUIRE(!strchr(note, '\n'));
    if (!result)
        check_config(&config);
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
