/* Groups that are too wide for a CPU, and entries of several processes made one. */
#include "harness/counters/group.h"
#include "harness/counters/passes.h"
#include "harness/run/counting_merge.h"
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A CPU with this many counters; instructions need none of them when `fixed`. It knows no l2_misses. */
static size_t room;
static bool fixed;
static const counter_source narrow;

static int narrow_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    size_t used = 0;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        bool free_one = fixed && !strcmp(slots[i].event->name, "instructions");
        if (!strcmp(slots[i].event->name, "l2_misses")) {
            counter_slot_refuse(&slots[i], "narrow", "no such event");
        } else if (free_one || used < room) {
            slots[i].source = &narrow;
            used += !free_one;
        } else {
            slots[i].crowded = true;
            counter_slot_refuse(&slots[i], "narrow", "no counter is left");
        }
    }
    *state = used ? &room : NULL;
    return 0;
}

static void nothing(void *state) {
    (void)state;
}

static void stop(void *state, double declared) {
    (void)state, (void)declared;
}

static void read_values(void *state, counter_slot *slots, size_t count) {
    (void)state, (void)slots, (void)count;
}

static const counter_source narrow = {.name = "narrow",
                                      .open = narrow_open,
                                      .start = nothing,
                                      .stop = stop,
                                      .read = read_values,
                                      .close = nothing};
static const counter_source *const sources[] = {&narrow, NULL};

static void read_cache_group(counter_group *g) {
    attn_error error = {0};
    if (group_read(g, "cache", &error))
        fail_msg("%s", error.message);
}

static void plan(counter_passes *p, const counter_group *g) {
    attn_error error = {0};
    if (counter_passes_plan(p, sources, g->events, g->count, &error))
        fail_msg("%s", error.message);
}

static size_t passes_with(const counter_passes *p, const char *event) {
    size_t count = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t e = 0; e < p->pass[i].count; e++)
            count += !strcmp(p->pass[i].events[e]->name, event);
    return count;
}

/* instructions, l1d_reads, l1d_writes, l1d_misses, l2_misses, llc_accesses, llc_misses */
static void test_passes(void **state) {
    (void)state;
    static const struct {
        size_t room, passes;
        bool fixed;
    } rows[] = {{6, 1, false}, {7, 1, false}, {5, 2, false}, {3, 3, false},
                {2, 5, false}, {1, 5, true},  {5, 1, true}};
    counter_group g;
    read_cache_group(&g);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        counter_passes p;
        room = rows[i].room;
        fixed = rows[i].fixed;
        plan(&p, &g);
        if (p.count != rows[i].passes)
            fail_msg("%zu counters: %zu passes", room, p.count);
        assert_int_equal(passes_with(&p, "instructions"), p.count);
        for (size_t e = 1; e < g.count; e++)
            assert_int_equal(passes_with(&p, g.events[e]->name), 1);
        for (size_t k = 0; p.count > 1 && k < p.count; k++)
            assert_ptr_equal(p.pass[k].events[0], p.shared);
        assert_int_equal(p.shared != NULL, p.count > 1);
    }
    group_free(&g);
}

/* With one counter, no event can be counted next to the one that passes share: no endless passes. */
static void test_too_narrow(void **state) {
    (void)state;
    counter_group g;
    counter_passes p;
    read_cache_group(&g);
    fixed = false;
    room = 1;
    plan(&p, &g);
    assert_int_equal(p.count, 1);
    room = 0;
    plan(&p, &g);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.pass[0].count, g.count);
    group_free(&g);
}

static void test_names(void **state) {
    (void)state;
    counter_pass pass = {.count = 2, .events = {&counter_events[0], &counter_events[1]}};
    attn_error error = {0};
    char *names = counter_pass_names(&pass, &error);
    assert_string_equal(names, "cycles,instructions");
    attn_free(names);
}

static json_t *entries_of(const char *counters, int repetitions) {
    json_t *entries = json_array();
    for (int i = 0; i < repetitions; i++)
        json_array_append_new(entries, json_pack("{so}", "counters", json_loads(counters, 0, NULL)));
    json_array_append_new(entries, json_pack("{ss}", "run_type", "aggregate"));
    return entries;
}

static const json_t *counter_at(const json_t *entries, size_t i, const char *name) {
    return json_object_get(json_object_get(json_array_get(entries, i), "counters"), name);
}

static double value_at(const json_t *entries, size_t i, const char *name) {
    const json_t *value = json_object_get(counter_at(entries, i, name), "value");
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *reason_at(const json_t *entries, size_t i, const char *name) {
    const char *reason = json_string_value(json_object_get(counter_at(entries, i, name), "unavailable"));
    return reason ? reason : "";
}

static const counter_event *event_named(const char *name) {
    for (size_t i = 0; i < counter_event_count; i++)
        if (!strcmp(counter_events[i].name, name))
            return &counter_events[i];
    fail_msg("no event %s", name);
    return NULL;
}

#define COUNTED(name, value) "\"" name "\": {\"source\": \"perf\", \"value\": " value "}"

static void test_merge_pass(void **state) {
    (void)state;
    static const struct {
        const char *later, *reason;
    } rows[] = {{"{" COUNTED("instructions", "1010") ", " COUNTED("branches", "7") "}", NULL},
                {"{" COUNTED("instructions", "1030") ", " COUNTED("branches", "7") "}",
                 "pass 2 ran differently: 1030 instructions, the first 1000"},
                {"{" COUNTED("branches", "7") "}", "instructions could not be read"},
                {NULL, "it broke"}};
    const counter_passes p = {.count = 2,
                              .shared = event_named("instructions"),
                              .pass[1] = {2, {event_named("instructions"), event_named("branches")}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        attn_error error = {0};
        json_t *entries = entries_of("{" COUNTED("instructions", "1000") "}", 3);
        json_t *more = rows[i].later ? entries_of(rows[i].later, 3) : NULL;
        assert_int_equal(merge_pass(entries, more, &p, 1, "it broke", &error), 0);
        for (size_t k = 0; k < 3; k++) {
            assert_true(value_at(entries, k, "instructions") == 1000);
            if (rows[i].reason)
                assert_non_null(strstr(reason_at(entries, k, "branches"), rows[i].reason));
            else
                assert_true(value_at(entries, k, "branches") == 7);
        }
        json_decref(more);
        json_decref(entries);
    }
}

static void test_merge_simulated(void **state) {
    (void)state;
    static const char timed[] =
        "{\"page_faults_minor\": {\"source\": \"kernel\", \"value\": 1}, \"cycles\":"
        "{\"unavailable\": \"not asked for\"}, \"branches\": {\"unavailable\": \"papi: no\"},"
        "\"instructions\": {\"unavailable\": \"not asked for\"}}";
    attn_error error = {0};
    json_t *entries = entries_of(timed, 2), *next_round = entries_of(timed, 2);
    json_t *simulated =
        entries_of("{\"page_faults_minor\": {\"source\": \"kernel\", \"value\": 99}, \"instructions\":"
                   "{\"source\": \"callgrind\", \"value\": 5}, \"cycles\": {\"unavailable\":"
                   "\"callgrind: no cycles\"}, \"branches\": {\"unavailable\": \"callgrind: no\"}}",
                   1);
    assert_int_equal(merge_simulated(entries, simulated, &error), 0);
    for (size_t k = 0; k < 2; k++) {
        assert_true(value_at(entries, k, "instructions") == 5);
        assert_true(value_at(entries, k, "page_faults_minor") == 1);
        assert_string_equal(reason_at(entries, k, "cycles"), "callgrind: no cycles");
        assert_string_equal(reason_at(entries, k, "branches"), "papi: no; callgrind: no");
    }
    assert_int_equal(merge_simulated(next_round, entries, &error), 0);
    assert_true(json_equal(next_round, entries));
    json_decref(next_round);
    json_decref(simulated);
    json_decref(entries);
    entries =
        entries_of("{\"cycles\": {\"unavailable\": \"not asked for\"}, \"x\": {\"unavailable\": \"y\"}}", 1);
    assert_int_equal(merge_refusal(entries, "callgrind", "it broke", &error), 0);
    assert_string_equal(reason_at(entries, 0, "cycles"), "callgrind: it broke");
    assert_string_equal(reason_at(entries, 0, "x"), "y");
    json_decref(entries);
}

/* What the entry has stays; what a later pass has of a part is added. */
static void test_merge_parts(void **state) {
    (void)state;
    attn_error error = {0};
    json_t *more =
        json_loads("{\"counters_by_part\": {\"attention\": {" COUNTED("instructions", "9") ", " COUNTED(
                       "branches", "3") "}, \"other\": {" COUNTED("branches", "1") "}}}",
                   0, NULL);
    json_t *entry = json_loads(
        "{\"counters\": {}, \"counters_by_part\": {\"attention\": {" COUNTED("instructions", "5") "}}}", 0,
        NULL);
    json_t *aggregate = json_object(), *bare = json_loads("{\"counters\": {}}", 0, NULL);
    double instructions, branches, other;
    assert_int_equal(merge_parts(entry, more, &error), 0);
    assert_int_equal(json_unpack(entry, "{s{s{s{sF}s{sF}}s{s{sF}}}}", "counters_by_part", "attention",
                                 "instructions", "value", &instructions, "branches", "value", &branches,
                                 "other", "branches", "value", &other),
                     0);
    assert_true(instructions == 5 && branches == 3 && other == 1);
    assert_int_equal(merge_parts(aggregate, more, &error), 0);
    assert_int_equal(json_object_size(aggregate), 0);
    assert_int_equal(merge_parts(bare, more, &error), 0);
    assert_int_equal(json_object_size(json_object_get(bare, "counters_by_part")), 2);
    assert_int_equal(merge_parts(bare, aggregate, &error), 0);
    json_decref(more);
    json_decref(entry);
    json_decref(aggregate);
    json_decref(bare);
}

static void test_validation(void **state) {
    (void)state;
    attn_error error = {0};
    json_t *metrics =
        json_loads("[{\"name\": \"cycles\", \"source\": \"perf\", \"status\": \"trusted\"},"
                   "{\"name\": \"branches\", \"source\": \"perf\", \"status\": \"scaled\", \"factor\": 2},"
                   "{\"name\": \"instructions\", \"source\": \"papi\", \"status\": \"trusted\"},"
                   "{\"name\": \"llc_misses\", \"source\": \"perf\", \"status\": \"rejected\"}]",
                   0, NULL);
    json_t *entries = entries_of(
        "{" COUNTED("cycles", "1") "," COUNTED("branches", "4") "," COUNTED("instructions", "1") "," COUNTED(
            "llc_misses", "1") ", \"x\": {\"unavailable\": \"y\"}}",
        1);
    static const char *const expected[][2] = {{"cycles", "trusted"},
                                              {"branches", "scaled"},
                                              {"instructions", "rejected"}, /* of another source */
                                              {"llc_misses", "rejected"}};
    json_t *counters = json_object_get(json_array_get(entries, 0), "counters");
    assert_int_equal(mark_validation(counters, metrics, &error), 0);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const json_t *counter = counter_at(entries, 0, expected[i][0]);
        assert_string_equal(json_string_value(json_object_get(counter, "validation")), expected[i][1]);
    }
    assert_true(json_number_value(json_object_get(counter_at(entries, 0, "branches"), "factor")) == 2);
    assert_null(json_object_get(counter_at(entries, 0, "x"), "validation"));
    assert_int_equal(mark_validation(counters, NULL, &error), 0); /* nothing is known */
    assert_string_equal(json_string_value(json_object_get(counter_at(entries, 0, "cycles"), "validation")),
                        "rejected");
    drop_unavailable(counters);
    assert_int_equal(json_object_size(counters), 4);
    json_decref(entries);
    json_decref(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passes),          cmocka_unit_test(test_too_narrow),
        cmocka_unit_test(test_names),           cmocka_unit_test(test_merge_pass),
        cmocka_unit_test(test_merge_simulated), cmocka_unit_test(test_merge_parts),
        cmocka_unit_test(test_validation),
    };
    setenv("ATTNBENCH_HOME", ".", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
