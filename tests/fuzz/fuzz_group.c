#include "tests/fuzz/fuzz.h"

#include "base/text/formula.h"
#include "harness/counters/group.h"

#include <math.h>

static int lookup(void *context, const char *name, double *value, attn_error *error) {
    *value = 3;
    return group_event(context, name) ? 0 : attn_fail(error, "unknown");
}

/* What was read is in bounds, and its formulas can be evaluated: to a number, or to a reason. */
static void check_group(counter_group *g) {
    FUZZ_REQUIRE(g->summary && g->needs && g->count > 0 && g->count <= GROUP_EVENTS_MAX);
    for (size_t i = 0; i < g->count; i++)
        FUZZ_REQUIRE(group_event(g, g->events[i]->name) == g->events[i] && g->events[i]->description);
    for (size_t i = 0; i < g->formulas; i++)
        for (size_t k = 0; k < g->formula[i].choices; k++) {
            attn_error error = {0};
            double value = NAN;
            int result = formula_evaluate(&value, g->formula[i].choice[k], lookup, g, &error);
            fuzz_check_error(result, &error);
            FUZZ_REQUIRE(result || isfinite(value));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    counter_group g;
    attn_error error = {0};
    int result = group_parse(&g, (const char *)data, size, "F.yaml", &error);
    fuzz_check_error(result, &error);
    if (!result)
        check_group(&g);
    group_free(&g);
    FUZZ_REQUIRE(attn_alloc_live() == 0);
    return 0;
}
