/* The kernel's PMUs and their events by name, from a folder as the kernel lays it out. */
#include "harness/counters/source/pmu_devices.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file below the folder of PMUs, with the folders above it. */
static void put(const char *path, const char *text) {
    char whole[256];
    snprintf(whole, sizeof whole, "pmus/%s", path);
    for (char *slash = strchr(whole, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(scratch_path(whole), 0700);
        *slash = '/';
    }
    scratch_file(whole, text, strlen(text));
}

static int set_up(void **state) {
    (void)state;
    put("cpu_core/type", "4\n");
    put("cpu_core/cpus", "0-3,8\n");
    put("cpu_core/format/event", "config:0-7\n");
    put("cpu_core/format/umask", "config:8-15\n");
    put("cpu_core/format/edge", "config:18\n");
    put("cpu_core/format/wide", "config1:0-3,60-63\n");
    put("cpu_core/events/slots", "event=0x00,umask=0x4\n");
    put("cpu_core/events/bad", "event=0x00,flavour=1\n");
    put("cpu_atom/type", "10\n");
    put("cpu_atom/cpus", "4-7\n");
    put("cpu_atom/format/event", "config:0-7\n");
    put("cpu_atom/events/slots", "event=0x0e\n");
    put("power/type", "22\n");
    put("power/cpumask", "0\n");
    put("power/format/event", "config:0-7\n");
    put("power/events/energy-pkg", "event=0x02\n");
    put("power/events/energy-pkg.scale", "2.5e-10\n");
    put("power/events/energy-pkg.unit", "Joules\n");
    return setenv(PMU_DEVICES_VARIABLE, scratch_path("pmus"), 1);
}

static int tear_down(void **state) {
    (void)state;
    return unsetenv(PMU_DEVICES_VARIABLE);
}

static void test_events(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int cpu;
        uint32_t type;
        uint64_t config, config1;
        bool everybody;
        double scale;
        const char *unit;
    } rows[] = {
        {"slots", 0, 4, 0x400, 0, false, 1, ""},
        {"slots", 8, 4, 0x400, 0, false, 1, ""},
        {"slots", 5, 10, 0x0e, 0, false, 1, ""},
        {"cpu_core/slots/", 5, 4, 0x400, 0, false, 1, ""},
        {"cpu_core/event=0x3c,umask=0x1/", 0, 4, 0x13c, 0, false, 1, ""},
        {"cpu_core/event=60,edge/", 0, 4, 0x4003c, 0, false, 1, ""},
        {"cpu_core/wide=0xab/", 0, 4, 0, 0xa00000000000000b, false, 1, ""},
        {"cpu_core/config=0x1234567890abcdef/", 0, 4, 0x1234567890abcdef, 0, false, 1, ""},
        {"power/energy-pkg/", 3, 22, 2, 0, true, 2.5e-10, "Joules"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pmu_event event;
        attn_error error = {0};
        if (pmu_event_find(&event, rows[i].text, rows[i].cpu, &error))
            fail_msg("%s: %s", rows[i].text, error.message);
        assert_int_equal(event.code.type, rows[i].type);
        assert_true(event.code.config == rows[i].config);
        assert_true(event.code.config1 == rows[i].config1);
        assert_int_equal(event.code.everybody, rows[i].everybody);
        assert_true(event.scale == rows[i].scale);
        assert_string_equal(event.unit, rows[i].unit);
    }
}

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
        int cpu;
    } rows[] = {
        {"slots", "no PMU of this CPU's cores", 99},
        {"cycles-of-tea", "cpu_core has no event cycles-of-tea", 0},
        {"gpu/event=1/", "no PMU \"gpu\"", 0},
        {"../cpu_core/event=1/", "no PMU", 0},
        {"cpu_core/event=0x1ff/", "event=0x1ff does not fit config:0-7", 0},
        {"cpu_core/event=/", "expected a number", 0},
        {"cpu_core/event=1x/", "expected a number", 0},
        {"cpu_core/flavour=1/", "cpu_core has no term flavour", 0},
        {"bad", "cpu_core has no term flavour", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pmu_event event;
        attn_error error = {0};
        assert_int_equal(pmu_event_find(&event, rows[i].text, rows[i].cpu, &error), -1);
        if (!strstr(error.message, rows[i].expected))
            fail_msg("%s: %s", rows[i].text, error.message);
    }
}

/* Generic events need the core's type only where there are several. */
static void test_core_types(void **state) {
    (void)state;
    assert_int_equal(pmu_core_type(2), 4);
    assert_int_equal(pmu_core_type(6), 10);
    assert_int_equal(pmu_core_type(50), 0);
    put("../plain/cpu/type", "4\n");
    setenv(PMU_DEVICES_VARIABLE, scratch_path("plain"), 1);
    assert_int_equal(pmu_core_type(0), 0);
    setenv(PMU_DEVICES_VARIABLE, scratch_path("pmus"), 1);
}

static int note(void *context, const char *device, const char *event, const char *terms, bool own) {
    char *list = context;
    size_t used = strlen(list);
    snprintf(list + used, 400 - used, "%s/%s(%s)%d ", device, event, terms, own);
    return 0;
}

static void test_visit(void **state) {
    (void)state;
    char list[400] = "";
    assert_int_equal(pmu_events_visit(5, note, list), 0);
    assert_string_equal(list, "cpu_atom/slots(event=0x0e)1 cpu_core/bad(event=0x00,flavour=1)0 "
                              "cpu_core/slots(event=0x00,umask=0x4)0 power/energy-pkg(event=0x02)0 ");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_events), cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_core_types), cmocka_unit_test(test_visit)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
