#include "tests/fuzz/fuzz.h"

#include "datasets/transcripts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    attn_error error = {0};
    transcripts t;
    int result = transcripts_parse(&t, (const char *)data, size, "1-2.trans.txt", &error);
    fuzz_check_error(result, &error);
    FUZZ_REQUIRE(!result || (!t.lines && !t.buffer && !t.count));
    for (size_t i = 0; i < t.count; i++) {
        FUZZ_REQUIRE(t.lines[i].id[0] && t.lines[i].text[0]);
        FUZZ_REQUIRE(transcripts_find(&t, t.lines[i].id) == t.lines[i].text);
    }
    transcripts_free(&t);
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
