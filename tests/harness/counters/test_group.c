/* Formulas, groups of counters, and what is derived from the counters of an entry. */
#include "base/text/formula.h"
#include "harness/counters/derive.h"
#include "harness/counters/source/callgrind_files.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/refusals.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int lookup(void *context, const char *name, double *value, attn_error *error) {
    (void)context;
    if (!strcmp(name, "two"))
        return *value = 2, 0;
    if (!strcmp(name, "a_1"))
        return *value = 10, 0;
    return attn_fail(error, "%s is unknown", name);
}

static void test_formulas(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
        const char *reason;
    } rows[] = {{"1 + 2 * 3", 7, NULL},
                {"(1 + 2) * 3", 9, NULL},
                {"8 / 2 / 2", 2, NULL},
                {"10 - 2 - 3", 5, NULL},
                {"-two + a_1", 8, NULL},
                {" 1000*a_1/( two + two ) ", 2500, NULL},
                {".5 * two", 1, NULL},
                {"2 - -two", 4, NULL},
                {"((((1))))", 1, NULL},
                {"a_1 / (two - 2)", 0, "divides by 0"},
                {"three + 1", 0, "three is unknown"},
                {"", 0, "ends early"},
                {"1 +", 0, "ends early, expected a number, a name"},
                {"(1", 0, "expected \")\""},
                {"1 2", 0, "found \"2\", expected + - * /"},
                {"1e3", 0, "found \"e3\""},
                {"2 ^ two", 0, "found \"^ two\""},
                {"1..2", 0, "expected a number"},
                {".", 0, "expected a number"},
                {"1)", 0, "expected + - * / or the end"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        attn_error error = {0}, check = {0};
        double value = NAN;
        int result = formula_evaluate(&value, rows[i].text, lookup, NULL, &error);
        if (!result != !rows[i].reason ||
            (result ? !strstr(error.message, rows[i].reason) : value != rows[i].value))
            fail_msg("\"%s\": %g, %s", rows[i].text, value, error.message);
        bool divides = rows[i].reason && strstr(rows[i].reason, "divides");
        assert_int_equal(!formula_check(rows[i].text, lookup, NULL, &check), divides || !result);
    }
}

static void test_long_formulas(void **state) {
    (void)state;
    char text[4001], name[101];
    double value;
    attn_error deep = {0}, wide = {0}, endless = {0}, huge = {0};
    memset(text, '(', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(formula_evaluate(&value, text, lookup, NULL, &deep), -1);
    assert_non_null(strstr(deep.message, "fewer brackets"));
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(formula_evaluate(&value, name, lookup, NULL, &wide), -1);
    assert_non_null(strstr(wide.message, "shorter name"));
    memset(text, '9', sizeof text - 1);
    assert_int_equal(formula_evaluate(&value, text, lookup, NULL, &endless), -1);
    assert_non_null(strstr(endless.message, "shorter number"));
    strcpy(text, "99999999999999999999");
    for (int i = 0; i < 20; i++)
        strcat(text, " * 99999999999999999999");
    assert_int_equal(formula_evaluate(&value, text, lookup, NULL, &huge), -1);
    assert_non_null(strstr(huge.message, "too large"));
}

static const char yaml[] = "summary: a test\n"
                           "needs: nothing\n"
                           "events: [cycles, instructions]\n"
                           "natives:\n"
                           "  - {name: exotic, about: an event, papi: [FIRST:A, SECOND]}\n"
                           "formulas:\n"
                           "  - {name: ipc, about: instructions per cycle, formula: instructions / cycles}\n"
                           "  - {name: either, about: a choice, formula: [10 * exotic, 100 * cycles]}\n";

static void parse(counter_group *g) {
    attn_error error = {0};
    if (group_parse(g, yaml, strlen(yaml), "F.yaml", &error))
        fail_msg("%s", error.message);
}

static void test_group(void **state) {
    (void)state;
    counter_group g;
    size_t live = attn_alloc_live();
    parse(&g);
    assert_string_equal(g.summary, "a test");
    assert_int_equal(g.count, 3);
    assert_string_equal(group_event(&g, "cycles")->papi, "PAPI_TOT_CYC CYCLES_NOT_IN_HALT");
    assert_string_equal(group_event(&g, "exotic")->papi, "FIRST:A SECOND");
    assert_null(group_event(&g, "branches"));
    assert_int_equal(g.formulas, 2);
    assert_int_equal(g.formula[1].choices, 2);
    group_free(&g);
    assert_int_equal(attn_alloc_live(), live);
}

/* Every group that is shipped reads, and its first formula choices use what it counts. */
static void test_shipped_groups(void **state) {
    (void)state;
    static const char *const names[] = {"basic",  "branch", "cache", "energy", "flops",
                                        "memory", "stalls", "tlb",   "topdown"};
    group_list list;
    attn_error error = {0};
    if (group_list_read(&list, &error))
        fail_msg("%s", error.message);
    assert_int_equal(list.count, sizeof names / sizeof *names);
    for (size_t i = 0; i < list.count; i++) {
        assert_string_equal(list.groups[i].name, names[i]);
        assert_true(list.groups[i].formulas > 0);
        assert_non_null(group_event(&list.groups[i], "instructions"));
    }
    group_list_free(&list);
}

static double value_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(json_object_get(object, name), "value");
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *text_of(const json_t *object, const char *name, const char *key) {
    const char *text = json_string_value(json_object_get(json_object_get(object, name), key));
    return text ? text : "";
}

static json_t *derive(const char *counters) {
    counter_group g;
    attn_error error = {0};
    json_t *derived = json_object(), *from = json_loads(counters, 0, NULL);
    assert_non_null(from);
    parse(&g);
    assert_int_equal(derive_formulas(derived, &g, from, &error), 0);
    group_free(&g);
    json_decref(from);
    return derived;
}

static void test_derived(void **state) {
    (void)state;
    json_t *d = derive("{\"cycles\": {\"source\": \"perf\", \"value\": 50, \"validation\": \"trusted\"},"
                       "\"instructions\": {\"source\": \"papi\", \"value\": 200, \"validation\": \"scaled\","
                       " \"factor\": 2}, \"exotic\": {\"unavailable\": \"x\"}}");
    assert_true(value_of(d, "ipc") == 2);
    assert_string_equal(text_of(d, "ipc", "source"), "papi+perf");
    assert_string_equal(text_of(d, "ipc", "validation"), "scaled");
    assert_true(value_of(d, "either") == 5000);
    assert_string_equal(text_of(d, "either", "validation"), "trusted");
    json_decref(d);
    d = derive("{\"cycles\": {\"source\": \"perf\", \"value\": 50, \"validation\": \"rejected\"},"
               "\"instructions\": {\"source\": \"perf\", \"value\": 200},"
               "\"exotic\": {\"source\": \"papi_native\", \"value\": 3, \"validation\": \"trusted\"}}");
    assert_true(isnan(value_of(d, "ipc")));
    assert_string_equal(text_of(d, "ipc", "unavailable"), "instructions is not trusted");
    assert_true(value_of(d, "either") == 30);
    json_decref(d);
    d = derive("{\"cycles\": {\"source\": \"perf\", \"value\": 0, \"validation\": \"trusted\"},"
               "\"instructions\": {\"source\": \"perf\", \"value\": 2, \"validation\": \"trusted\"}}");
    assert_non_null(strstr(text_of(d, "ipc", "unavailable"), "divides by 0"));
    json_decref(d);
}

static json_t *measure(const char *entry, double cache_bytes) {
    attn_error error = {0};
    json_t *from = json_loads(entry, 0, NULL);
    assert_non_null(from);
    json_t *measured = derive_measured(from, cache_bytes, &error);
    assert_non_null(measured);
    json_decref(from);
    return measured;
}

#define COUNTER(name, source, value)                                                                         \
    "\"" name "\": {\"source\": \"" source "\", \"value\": " value ", \"validation\": \"trusted\"}"

static void check_ratio(const json_t *m, const char *what, double ratio, bool differs) {
    const json_t *of = json_object_get(m, what);
    assert_true(fabs(json_number_value(json_object_get(of, "ratio")) - ratio) < 1e-12);
    assert_int_equal(json_is_true(json_object_get(of, "differs")), differs);
    assert_true(json_is_boolean(json_object_get(of, "differs")));
}

static void test_measured(void **state) {
    (void)state;
    json_t *m = measure("{\"flops\": 1000, \"bytes\": 6400, \"counters\": {" COUNTER(
                            "sp_flops", "papi", "1015") ", " COUNTER("cold_bytes", "callgrind", "8000") "}}",
                        0);
    check_ratio(m, "flops", 1.015, false);
    check_ratio(m, "bytes", 1.25, true);
    assert_string_equal(text_of(m, "bytes", "source"), "callgrind");
    json_decref(m);
    static const char misses[] = "{\"flops\": 0, \"bytes\": 6400, \"counters\": {" COUNTER(
        "llc_misses", "perf", "50") "}, \"derived\": {\"flops\": {\"value\": 7, \"source\": \"papi\"}}}";
    m = measure(misses, 1000);
    check_ratio(m, "bytes", 0.5, true);
    assert_true(value_of(m, "flops") == 7); /* of a group; the formula says 0, so there is no ratio */
    assert_null(json_object_get(json_object_get(m, "flops"), "ratio"));
    json_decref(m);
    m = measure(misses, 6400); /* stays in the caches */
    assert_non_null(strstr(text_of(m, "bytes", "unavailable"), "caches hold"));
    json_decref(m);
    m = measure(
        "{\"flops\": 1000, \"bytes\": 6400, \"counters\": {\"sp_flops\": {\"unavailable\": \"no PMU\"}}}", 0);
    assert_string_equal(text_of(m, "flops", "unavailable"), "sp_flops is unavailable");
    assert_non_null(strstr(text_of(m, "bytes", "unavailable"), "unknown"));
    json_decref(m);
}

static void test_callgrind_totals(void **state) {
    (void)state;
    callgrind_totals t;
    callgrind_parse_totals(
        &t, "# callgrind format\npart: 2\nevents: Ir Dr Dw Bcm\nsummary: 9 9 9\n\nfn=(1) totals:\n"
            "0 5 6\n\ntotals: 100 20 3\n");
    assert_int_equal(t.count, 4);
    assert_true(callgrind_total(&t, "Ir") == 100 && callgrind_total(&t, "Dw") == 3);
    assert_true(callgrind_total(&t, "Bcm") == 0); /* zeros at the end are left out */
    assert_true(isnan(callgrind_total(&t, "DLmr")));
    callgrind_parse_totals(&t, "events: Ir\n");
    assert_true(isnan(callgrind_total(&t, "Ir")));
    callgrind_parse_totals(&t, "");
    assert_int_equal(t.count, 0);
    callgrind_read_totals(&t, "/nonexistent/out", 3);
    assert_int_equal(t.count, 0);
}

static int parse_group(void *context, attn_error *error) {
    counter_group g;
    (void)context;
    int result = group_parse(&g, yaml, strlen(yaml), "F.yaml", error);
    if (!result)
        group_free(&g);
    return result;
}

static int read_groups(void *context, attn_error *error) {
    group_list list;
    (void)context;
    int result = group_list_read(&list, error);
    if (!result)
        group_list_free(&list);
    return result;
}

static void test_no_memory(void **state) {
    (void)state;
    assert_true(refuse_each_allocation(parse_group, NULL) >= 10);
    assert_true(refuse_each_allocation(read_groups, NULL) >= 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_long_formulas),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_shipped_groups),
        cmocka_unit_test(test_derived),
        cmocka_unit_test(test_measured),
        cmocka_unit_test(test_callgrind_totals),
        cmocka_unit_test(test_no_memory),
    };
    setenv("ATTNBENCH_HOME", ".", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
