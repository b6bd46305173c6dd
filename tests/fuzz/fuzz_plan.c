#include "tests/fuzz/fuzz.h"

#include "bench/row.h"
#include "harness/plan/plan.h"

/* Every row is one that the bench takes, by its canonical name; settings are in range. */
static void check_plan(const plan *p) {
    FUZZ_REQUIRE(p->count > 0 && p->count <= PLAN_ROWS_MAX);
    FUZZ_REQUIRE(p->repetitions > 0 && p->min_time > 0 && p->min_time <= 1000);
    FUZZ_REQUIRE((p->skipped != 0) == (p->note[0] != '\0'));
    for (size_t i = 0; i < p->count; i++) {
        bench_case c;
        attn_error error = {0};
        FUZZ_REQUIRE(!bench_case_parse(&c, p->rows[i].name, &error));
        FUZZ_REQUIRE(!strcmp(c.name, p->rows[i].name));
        FUZZ_REQUIRE(!i || strcmp(p->rows[i].name, p->rows[i - 1].name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    plan p;
    attn_error error = {0};
    int result = plan_parse(&p, (const char *)data, size, "F.yaml", &error);
    fuzz_check_error(result, &error);
    if (!result)
        check_plan(&p);
    plan_free(&p);
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
