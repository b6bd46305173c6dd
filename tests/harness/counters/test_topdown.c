/* The group topdown on CPUs that are not here: which of its events and constants are theirs, and each formula over
 * known counts, worked out by hand. */
#include "harness/counters/cpu_identity.h"
#include "harness/counters/derive.h"
#include "harness/counters/source/pmu_devices.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { COUNTS = 14, PARTS = 13 };

typedef struct known {
    const char *name;
    double value;
} known;

typedef struct row {
    const char *cpu, *slots; /* `slots`: what its PMU says; NULL: nothing */
    known counts[COUNTS], parts[PARTS];
} row;

static const row rows[] = {
    {"AuthenticAMD-25-11-1", /* Zen 4: 6000 slots */
     NULL,
     {{"cycles", 1000},
      {"branch_misses", 30},
      {"ops_retired", 3000},
      {"ops_dispatched", 3300},
      {"slots_no_op", 1200},
      {"slots_blocked", 1200},
      {"slots_of_other_thread", 300},
      {"no_op_cycles_of_6", 100},
      {"waits_for_load", 300},
      {"waits_for_any", 400},
      {"ops_of_microcode", 60},
      {"resyncs", 10}},
     {{"retiring", .5},
      {"bad_speculation", .05},
      {"frontend_bound", .2},
      {"backend_bound", .2},
      {"other_thread", .05},
      {"memory_bound", .15},
      {"core_bound", .05},
      {"fetch_latency", .1},
      {"fetch_bandwidth", .1},
      {"mispredicted", .0375},
      {"restarted", .0125},
      {"microcode", .01}}},
    {"AuthenticAMD-26-2-1", /* Zen 5: 8000 slots */
     NULL,
     {{"cycles", 1000},
      {"branch_misses", 10},
      {"ops_retired", 4000},
      {"ops_dispatched", 4800},
      {"slots_no_op", 1600},
      {"slots_blocked", 1600},
      {"slots_of_other_thread", 0},
      {"no_op_cycles_of_8", 50},
      {"waits_for_load", 100},
      {"waits_for_any", 400},
      {"ops_of_microcode", 80},
      {"resync_redirects", 30}},
     {{"retiring", .5},
      {"bad_speculation", .1},
      {"frontend_bound", .2},
      {"backend_bound", .2},
      {"other_thread", 0},
      {"memory_bound", .05},
      {"core_bound", .15},
      {"fetch_latency", .05},
      {"fetch_bandwidth", .15},
      {"mispredicted", .025},
      {"restarted", .075},
      {"microcode", .01}}},
    {"AuthenticAMD-25-21-0", /* Zen 3 */
     NULL,
     {{"cycles", 1000}, {"branch_misses", 10}, {"ops_retired", 1500}},
     {{"retiring", .25}}},
    {"AuthenticAMD-26-50-0", /* Zen 6: not known */
     NULL,
     {{"cycles", 1000}, {"branch_misses", 10}},
     {{NULL, 0}}},
    {"0x00000000410fd4f0", /* Neoverse V2: 8000 slots, by its PMU */
     "0x00000008",
     {{"cycles", 1000},
      {"branch_misses", 10},
      {"stall_slot", 4000},
      {"stall_slot_frontend", 1000},
      {"stall_slot_backend", 3000},
      {"op_retired", 900},
      {"op_spec", 1000}},
     {{"retiring", .45}, {"bad_speculation", .05}, {"frontend_bound", .125}, {"backend_bound", .375}}},
    {"0x00000000411fd401", /* Neoverse V1: 8000 slots, by its name; 40 cycles after mispredictions */
     NULL,
     {{"cycles", 1000},
      {"branch_misses", 10},
      {"stall_slot", 4000},
      {"stall_slot_frontend", 1000},
      {"stall_slot_backend", 3000},
      {"op_retired", 900},
      {"op_spec", 1000}},
     {{"retiring", .45}, {"bad_speculation", .09}, {"frontend_bound", .085}, {"backend_bound", .375}}},
    {"0x00000000410fd490", /* Neoverse N2: 5000 slots; two events count every cycle once too often */
     "0x00000005",
     {{"cycles", 1000},
      {"branch_misses", 10},
      {"stall_slot", 3500},
      {"stall_slot_frontend", 2000},
      {"stall_slot_backend", 1500},
      {"op_retired", 900},
      {"op_spec", 1000}},
     {{"retiring", .45}, {"bad_speculation", .05}, {"frontend_bound", .2}, {"backend_bound", .3}}},
    {"0x00000000410fd0c0", /* Neoverse N1 */
     NULL,
     {{"cycles", 1000}, {"branch_misses", 10}},
     {{NULL, 0}}},
    {"GenuineIntel-6-8F-8", /* Sapphire Rapids */
     NULL,
     {{"cycles", 1000},
      {"branch_misses", 10},
      {"slots", 6000},
      {"topdown_retiring", 3000},
      {"topdown_bad_spec", 600},
      {"topdown_fe_bound", 1200},
      {"topdown_be_bound", 1200},
      {"topdown_heavy_ops", 60},
      {"topdown_br_mispredict", 450},
      {"topdown_fetch_lat", 900},
      {"topdown_mem_bound", 900}},
     {{"retiring", .5},
      {"bad_speculation", .1},
      {"frontend_bound", .2},
      {"backend_bound", .2},
      {"memory_bound", .15},
      {"core_bound", .05},
      {"fetch_latency", .15},
      {"fetch_bandwidth", .05},
      {"mispredicted", .075},
      {"restarted", .025},
      {"heavy_ops", .01}}},
};

static void be(const row *r) {
    setenv(CPU_IDENTITY_VARIABLE, r->cpu, 1);
    mkdir(scratch_path("pmus"), 0700);
    mkdir(scratch_path("pmus/cpu"), 0700);
    mkdir(scratch_path("pmus/cpu/caps"), 0700);
    scratch_file("pmus/cpu/type", "4\n", 2);
    scratch_file("pmus/cpu/caps/slots", r->slots ? r->slots : "", r->slots ? strlen(r->slots) : 0);
    setenv(PMU_DEVICES_VARIABLE, scratch_path("pmus"), 1);
}

static bool is_named(const known *list, size_t count, const char *name) {
    for (size_t i = 0; i < count && list[i].name; i++)
        if (!strcmp(list[i].name, name))
            return true;
    return false;
}

/* Its events are those that a source could count: the others have no name here, or not on its kernel. */
static json_t *counts_of(const row *r, const counter_group *g) {
    json_t *counters = json_object();
    for (size_t i = 0; i < COUNTS && r->counts[i].name; i++) {
        const counter_event *event = group_event(g, r->counts[i].name);
        if (!event || !(event->papi || event->kernel || event->perf_type >= 0))
            fail_msg("%s: %s is no event of it", r->cpu, r->counts[i].name);
        json_object_set_new(counters, r->counts[i].name,
                            json_pack("{ss sf ss}", "source", "perf", "value", r->counts[i].value,
                                      "validation", "unchecked"));
    }
    return counters;
}

static void test_known_counts(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const row *r = &rows[i];
        counter_group g;
        attn_error error = {0};
        be(r);
        if (group_read(&g, "topdown", &error))
            fail_msg("%s", error.message);
        json_t *counters = counts_of(r, &g), *derived = json_object(), *part;
        const char *name;
        assert_int_equal(derive_formulas(derived, &g, counters, &error), 0);
        for (size_t p = 0; p < PARTS && r->parts[p].name; p++) {
            part = json_object_get(json_object_get(derived, r->parts[p].name), "value");
            if (!(fabs(json_number_value(part) - r->parts[p].value) < 1e-12) || !part)
                fail_msg("%s: %s is %g, expected %g", r->cpu, r->parts[p].name, json_number_value(part),
                         r->parts[p].value);
        }
        json_object_foreach(derived, name, part) {
            if (json_object_get(part, "value") && !is_named(r->parts, PARTS, name))
                fail_msg("%s: has %s", r->cpu, name);
        }
        json_decref(counters);
        json_decref(derived);
        group_free(&g);
        assert_int_equal(attn_alloc_live(), 0);
    }
}

/* An event of another CPU has no name, so that no source takes the same code for it. */
static void test_events_of_others(void **state) {
    (void)state;
    static const struct {
        const char *cpu, *event;
        bool is;
    } asked[] = {{"AuthenticAMD-25-11-1", "ops_retired", true},
                 {"AuthenticAMD-25-11-1", "no_op_cycles_of_8", false},
                 {"AuthenticAMD-25-1-1", "ops_dispatched", false},
                 {"AuthenticAMD-25-A0-2", "ops_dispatched", true},
                 {"AuthenticAMD-26-44-0", "ops_dispatched", true},
                 {"AuthenticAMD-26-44-0", "resyncs", false},
                 {"GenuineIntel-6-8F-8", "ops_retired", false},
                 {"GenuineIntel-6-8F-8", "slots", true},
                 {"any", "ops_dispatched", true}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        counter_group g;
        attn_error error = {0};
        setenv(CPU_IDENTITY_VARIABLE, asked[i].cpu, 1);
        assert_int_equal(group_read(&g, "topdown", &error), 0);
        const counter_event *event = group_event(&g, asked[i].event);
        if ((event->papi || event->kernel) != asked[i].is)
            fail_msg("%s: %s", asked[i].cpu, asked[i].event);
        group_free(&g);
    }
}

static void test_mistakes(void **state) {
    (void)state;
    static const char start[] = "summary: a\nneeds: b\nevents: [cycles]\n";
    static const struct {
        const char *text, *what;
    } bad[] = {
        {"natives: [{name: x, about: y, cpu: \"(\", papi: [A]}]", "cpu: \"(\" is no regular expression"},
        {"natives: [{name: x, about: y, cpu: [], papi: [A]}]", "cpu: "},
        {"natives: [{name: x, about: y, cpu: nowhere, papi: [A, [B]]}]", "papi: "},
        {"constants: [{name: width, about: y}]", "value: expected value or caps"},
        {"constants: [{name: width, about: y, value: 1, caps: slots}]", "value: expected value or caps"},
        {"constants: [{name: width, about: y, value: -1}]", "value: "},
        {"constants: [{name: cycles, about: y, value: 1}]", "name: found \"cycles\""},
        {"constants: [{name: width, value: 1}]", "about: missing"},
        {"constants: [3]", "constants: expected mappings"},
        {"constants: [{name: width, about: y, value: 1, colour: red}]", "colour: unknown key"},
        {"formulas: [{name: f, about: y, formula: cycles / width}]",
         "width is no event or constant of this group"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        counter_group g;
        attn_error error = {0};
        char text[400];
        snprintf(text, sizeof text, "%s%s\n", start, bad[i].text);
        assert_int_equal(group_parse(&g, text, strlen(text), "F.yaml", &error), -1);
        if (!strstr(error.message, bad[i].what))
            fail_msg("%s: %s", bad[i].text, error.message);
        assert_int_equal(attn_alloc_live(), 0);
    }
}

/* The identity of this machine, as perf(1) writes it. */
static void test_identity(void **state) {
    (void)state;
    char text[96];
    bool is;
    attn_error error = {0};
    unsetenv(CPU_IDENTITY_VARIABLE);
    cpu_identity(text, sizeof text, 0);
#if defined __x86_64__
    assert_int_equal(cpu_identity_is(&is, "[A-Za-z]+-[0-9]+-[0-9A-F]+-[0-9A-F]+", 0, &error), 0);
    assert_true(is);
#endif
    assert_int_equal(cpu_identity_is(&is, "no such CPU", 0, &error), 0);
    assert_false(is);
    setenv(CPU_IDENTITY_VARIABLE, "AuthenticAMD-25-11-1", 1);
    assert_int_equal(cpu_identity_is(&is, "AuthenticAMD-25-1|x", 0, &error), 0); /* all of it */
    assert_false(is);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_counts),
                                       cmocka_unit_test(test_events_of_others),
                                       cmocka_unit_test(test_mistakes), cmocka_unit_test(test_identity)};
    setenv("ATTNBENCH_HOME", ".", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
