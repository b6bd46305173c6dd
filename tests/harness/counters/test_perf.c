/* Why perf events cannot be had, and two sources that want the same counters. */
#include "harness/counters/counter_set.h"
#include "harness/counters/source/papi_library.h"
#include "harness/counters/source/papi_refusal.h"
#include "harness/counters/source/perf_events.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include <errno.h>
#include <math.h>
#include <papi.h>
#include <string.h>
#include <sys/stat.h>

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        int why;
        perf_surroundings around;
        const char *expected;
    } rows[] = {
        {EACCES,
         {.paranoid = 3},
         "perf_event_paranoid is 3; sysctl kernel.perf_event_paranoid=2, or CAP_PERFMON"},
        {EPERM, {.paranoid = 4}, "perf_event_paranoid is 4"},
        {EPERM, {.paranoid = 2}, "although perf_event_paranoid is 2: a container's filter"},
        {EACCES, {.paranoid = 2, .everybody = true}, "takes sysctl kernel.perf_event_paranoid=0"},
        {EACCES, {.paranoid = -1}, "although perf_event_paranoid is -1"},
        {ENOENT, {.hypervisor = "kvm"}, "no PMU in this virtual machine (kvm)"},
        {EOPNOTSUPP, {.hypervisor = "kvm"}, "no PMU in this virtual machine (kvm)"},
        {ENOENT, {.pmu = true, .hypervisor = "kvm"}, "no such event on this CPU"},
        {ENODEV, {.paranoid = 1}, "a CPU newer than the kernel"},
        {EINVAL, {.pmu = true, .crowded = true}, "no counter is left"},
        {EINVAL, {.pmu = true}, "no such event on this CPU"},
        {0, {.pmu = true, .crowded = true, .watchdog = true}, "no counter is left"},
        {ENOSPC, {.pmu = true}, "no counter is left"},
        {0, {.pmu = true, .watchdog = true}, "kernel.nmi_watchdog=0"},
        {0, {.pmu = true}, "another program holds them"},
        {EBUSY, {.pmu = true}, "another program holds them"},
        {ENOSYS, {.paranoid = 2}, "without perf events"},
        {ENOENT, {.paranoid = PERF_NO_KERNEL_SUPPORT}, "without perf events"},
        {EMFILE, {.paranoid = 2}, "Too many open files"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[160];
        perf_refusal(text, sizeof text, rows[i].why, &rows[i].around);
        if (!strstr(text, rows[i].expected))
            fail_msg("row %zu: \"%s\" has no \"%s\"", i, text, rows[i].expected);
        assert_true(strlen(text) + 1 < sizeof text);
        assert_null(strchr(text, '\n'));
    }
}

/* The same words of PAPI, "Event does not exist", for three reasons, each with its remedy. */
static void test_papi_refusals(void **state) {
    (void)state;
    static const struct {
        papi_situation situation;
        const char *expected, *without;
    } rows[] = {
        {{.result = PAPI_ENOEVNT, .pmu = ENOENT, .version = "7.0.0", .around = {.hypervisor = "kvm"}},
         "no PMU in this virtual machine (kvm); its host has to offer one",
         "newer PAPI"},
        {{.result = PAPI_ENOEVNT, .version = "7.0.0", .family = 26, .model = 68, .around = {.pmu = true}},
         "Event does not exist: PAPI 7.0.0 has no presets at all for this CPU (family 26, model 68); a newer "
         "PAPI may, and --counters perf",
         "virtual machine"},
        {{.result = PAPI_ENOEVNT, .version = "7.0.0", .family = -1, .model = -1, .around = {.pmu = true}},
         "for this CPU; a newer PAPI",
         "family"},
        {{.result = PAPI_ENOEVNT, .presets = 40, .version = "7.0.0", .around = {.pmu = true}},
         "this CPU has 40 other presets, not this one",
         "newer PAPI"},
        {{.result = PAPI_ENOEVNT, .native = true, .version = "7.0.0", .around = {.pmu = true}},
         "no such native event for this CPU",
         "preset"},
        {{.result = PAPI_ECNFLCT,
          .presets = 40,
          .version = "7.0.0",
          .around = {.pmu = true, .watchdog = true}},
         "the NMI watchdog holds one, sysctl kernel.nmi_watchdog=0 frees it",
         "virtual"},
        {{.result = PAPI_ECNFLCT, .presets = 40, .version = "7.0.0", .around = {.pmu = true}},
         "no counter is left next to the events before it",
         "watchdog"},
        {{.result = PAPI_EPERM, .pmu = ENOENT, .version = "7.0.0"}, "ermission", "PMU"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        papi_library_start(); /* it has no words before */
        papi_refusal(text, sizeof text, &rows[i].situation);
        if (!strstr(text, rows[i].expected) || strstr(text, rows[i].without))
            fail_msg("row %zu: \"%s\"", i, text);
        assert_true(strlen(text) + 1 < sizeof text);
    }
}

static void test_papi_disabled(void **state) {
    (void)state;
    static const char by_linux[] = "perf_event support disabled by Linux with paranoid=3";
    const perf_surroundings strict = {.paranoid = 3}, usual = {.paranoid = 2};
    char text[240];
    assert_true(papi_disabled(text, sizeof text, by_linux, &strict));
    assert_int_equal(strncmp(text, by_linux, strlen(by_linux)), 0);
    assert_non_null(strstr(text, "sysctl kernel.perf_event_paranoid=2"));
    assert_false(papi_disabled(text, sizeof text, "no such thing", &strict));
    assert_string_equal(text, "no such thing");
    assert_false(papi_disabled(text, sizeof text, "no such thing", &usual));
    assert_string_equal(text, "no such thing");
}

/* Each generic event reads a number, or has an errno; those of the kernel itself count everywhere that perf
 * events are allowed. */
static void test_generic_events(void **state) {
    (void)state;
    for (size_t i = 0; i < perf_generic_event_count; i++) {
        double value = NAN;
        int code = perf_try_event(&perf_generic_events[i], &value);
        assert_true(code >= 0);
        assert_int_equal(code != 0, isnan(value));
        if (!code && !strncmp(perf_generic_events[i].name, "task-clock", 10))
            assert_true(value > 0);
        if (!code && !strcmp(perf_generic_events[i].name, "instructions"))
            assert_true(value < 0 || value > PERF_TRIAL_TURNS);
    }
}

static void test_surroundings(void **state) {
    (void)state;
    const char *root = scratch_path("root");
    static const char *const folders[] = {"root", "root/proc", "root/proc/sys", "root/proc/sys/kernel"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(scratch_path(folders[i]), 0700), 0);
    perf_surroundings around;
    perf_surroundings_read(&around, root);
    assert_int_equal(around.paranoid, PERF_NO_KERNEL_SUPPORT);
    assert_false(around.watchdog);
    scratch_file("root/proc/sys/kernel/perf_event_paranoid", "-1\n", 3);
    scratch_file("root/proc/sys/kernel/nmi_watchdog", "1\n", 2);
    perf_surroundings_read(&around, root);
    assert_int_equal(around.paranoid, -1);
    assert_true(around.watchdog);
}

/* A CPU with `counters` counters, and two sources on it: "first" wants cycles, as PAPI it reads 0 when there
 * is no counter; "second" wants branches and, as a pinned group, comes before it. */
static struct {
    int counters, taken;
    bool first_counts;
} cpu;
static const counter_source first, second;
static int closed;

static void claim(const counter_source *source, const char *event, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!slots[i].source && !strcmp(slots[i].event->name, event))
            slots[i].source = source;
}

static void report(const counter_source *source, double value, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (slots[i].source == source) {
            slots[i].known = true;
            slots[i].value = value;
        }
}

static int first_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    (void)error;
    *state = &cpu;
    claim(&first, "cycles", slots, count);
    return 0;
}

static int second_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    (void)error;
    *state = &cpu;
    claim(&second, "branches", slots, count);
    return 0;
}

static void first_start(void *state) {
    (void)state;
    cpu.first_counts = cpu.taken++ < cpu.counters;
}

static void second_start(void *state) {
    (void)state;
    cpu.taken++;
}

static void stop(void *state, double declared) {
    (void)state;
    (void)declared;
    cpu.taken--;
}

static void first_read(void *state, counter_slot *slots, size_t count) {
    (void)state;
    report(&first, cpu.first_counts ? 1000 : 0, slots, count);
}

static void second_read(void *state, counter_slot *slots, size_t count) {
    (void)state;
    report(&second, 500, slots, count);
}

static void note_close(void *state) {
    (void)state;
    closed++;
}

static const counter_source first = {.name = "first",
                                     .open = first_open,
                                     .start = first_start,
                                     .stop = stop,
                                     .read = first_read,
                                     .close = note_close},
                            second = {.name = "second",
                                      .open = second_open,
                                      .start = second_start,
                                      .stop = stop,
                                      .read = second_read,
                                      .close = note_close};

static const counter_slot *slot_of(const counter_set *set, const char *event) {
    for (size_t i = 0; i < set->count; i++)
        if (!strcmp(set->slots[i].event->name, event))
            return &set->slots[i];
    fail_msg("no event %s", event);
    return NULL;
}

static void open_pair(counter_set *set, int counters) {
    static const counter_source *const sources[] = {&first, &second, NULL};
    attn_error error = {0};
    cpu.counters = counters;
    cpu.taken = closed = 0;
    assert_int_equal(counter_set_open(set, sources, &error), 0);
    counter_set_start(set);
    counter_set_stop(set, 1, 0);
    counter_set_read(set);
    assert_int_equal(cpu.taken, 0);
}

static void test_sources_beside_each_other(void **state) {
    (void)state;
    counter_set set;
    open_pair(&set, 2);
    assert_ptr_equal(slot_of(&set, "cycles")->source, &first);
    assert_true(slot_of(&set, "cycles")->known);
    assert_ptr_equal(slot_of(&set, "branches")->source, &second);
    assert_true(slot_of(&set, "branches")->known);
    counter_set_close(&set);
    assert_int_equal(closed, 2);
}

static void test_source_that_takes_anothers_counter(void **state) {
    (void)state;
    counter_set set;
    open_pair(&set, 1);
    assert_int_equal(closed, 1);
    assert_true(slot_of(&set, "cycles")->known);
    assert_true(slot_of(&set, "cycles")->value == 1000);
    assert_null(slot_of(&set, "branches")->source);
    assert_false(slot_of(&set, "branches")->known);
    assert_string_equal(slot_of(&set, "branches")->reason,
                        "second: no counter is left next to those of first");
    counter_set_close(&set);
    assert_int_equal(closed, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_papi_refusals),
                                       cmocka_unit_test(test_papi_disabled),
                                       cmocka_unit_test(test_generic_events),
                                       cmocka_unit_test(test_surroundings),
                                       cmocka_unit_test(test_sources_beside_each_other),
                                       cmocka_unit_test(test_source_that_takes_anothers_counter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
