/* Who has to mend what, for each way in which counters are missing or wrong. */
#include "harness/counters/new_cpu_mend.h"
#include "tests/support/cmocka_all.h"

#include "base/text/append.h"
#include "base/text/json.h"

#include <errno.h>
#include <string.h>

static const char WRONG[] =
    "[{\"name\": \"cycles\", \"source\": \"papi\", \"status\": \"trusted\"},"
    " {\"name\": \"sp_flops\", \"source\": \"papi\", \"status\": \"rejected\"},"
    " {\"name\": \"llc_accesses\", \"source\": \"papi\", \"status\": \"unavailable\"},"
    " {\"name\": \"l1d_reads\", \"source\": \"perf\", \"status\": \"rejected\"}]";

static void test_each_cause(void **state) {
    (void)state;
    static const struct {
        new_cpu_facts facts;
        const char *metrics, *expected; /* "who: concerns" of each row, "; " between */
    } rows[] = {
        {{.library_knows = true, .presets = 9, .not_generic = ""}, "[]", ""},
        {{.pmu = ENOENT, .around = {.hypervisor = "kvm"}, .not_generic = "cycles"},
         "[]",
         "hypervisor: all hardware events, by PAPI and by perf"},
        {{.pmu = ENOENT, .not_generic = ""}, "[]", "kernel: all hardware events, by PAPI and by perf"},
        {{.pmu = EACCES, .around = {.paranoid = 3, .hypervisor = "kvm"}, .not_generic = ""},
         "[]",
         "administrator: all hardware events, by PAPI and by perf"},
        {{.papi_refusal = "built without the component", .not_generic = ""},
         "[]",
         "PAPI: all events by PAPI; --counters perf counts without"},
        {{.papi_refusal = "built without the component", .around = {.paranoid = 3}, .not_generic = ""},
         "[]",
         "PAPI: all events by PAPI; --counters perf counts without"},
        {{.papi_refusal = "disabled by Linux with paranoid=3", .around = {.paranoid = 3}, .not_generic = ""},
         "[]",
         "administrator: all events by PAPI; --counters perf counts without"},
        {{.papi_version = "7.0.0", .around = {.watchdog = true}, .not_generic = "node-loads"},
         "[]",
         "libpfm: natives of groups, by PAPI; PAPI: ; kernel: node-loads; administrator: groups that need "
         "all counters"},
        {{.presets = 9, .library_knows = true, .blas_better = "ZEN", .not_generic = ""},
         WRONG,
         "PAPI: llc_accesses; PAPI: sp_flops; kernel: l1d_reads; OpenBLAS: matrix products"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        new_cpu_facts facts = rows[i].facts;
        json_t *metrics = json_loads(rows[i].metrics, 0, NULL), *row;
        char found[400] = "";
        text_table t;
        size_t at;
        facts.metrics = metrics;
        facts.papi_version = facts.papi_version ? facts.papi_version : "";
        new_cpu_mend(&t, &facts);
        json_array_foreach(t.rows, at, row) {
            assert_true(json_text(row, "what")[0]);
            text_list(found, sizeof found, "; ", "%s: %s", json_text(row, "who"), json_text(row, "concerns"));
        }
        if (strcmp(found, rows[i].expected))
            fail_msg("row %zu: \"%s\"", i, found);
        table_free(&t);
        json_decref(metrics);
    }
}

/* An event counts once, with the best verdict that any source has for it. */
static void test_counts(void **state) {
    (void)state;
    static const char metrics[] =
        "[{\"name\": \"cycles\", \"source\": \"papi\", \"status\": \"scaled\"},"
        " {\"name\": \"cycles\", \"source\": \"perf\", \"status\": \"trusted\"},"
        " {\"name\": \"branches\", \"source\": \"perf\", \"status\": \"rejected\"},"
        " {\"name\": \"branches\", \"source\": \"papi\", \"status\": \"trusted\"},"
        " {\"name\": \"l2_misses\", \"source\": \"papi\", \"status\": \"rejected\"},"
        " {\"name\": \"sp_flops\", \"source\": \"papi\", \"status\": \"unavailable\"},"
        " {\"name\": \"page_faults\", \"source\": \"kernel\", \"status\": \"trusted\"}]";
    static const size_t expected[] = {
        [VERDICT_TRUSTED] = 2, [VERDICT_REJECTED] = 1, [VERDICT_UNAVAILABLE] = 1};
    size_t count[VERDICT_UNAVAILABLE + 1];
    json_t *list = json_loads(metrics, 0, NULL);
    assert_non_null(list);
    new_cpu_count(count, list);
    assert_memory_equal(count, expected, sizeof expected);
    json_decref(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_cause), cmocka_unit_test(test_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
