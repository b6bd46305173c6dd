#define _GNU_SOURCE /* sched_getaffinity */
/* Children that do not end, and which CPU they go to. */
#include "tests/support/cmocka_all.h"
#include "tests/support/scratch.h"

#include "base/clock.h"
#include "base/process/child.h"
#include "base/process/quiet_cpu.h"
#include "harness/gate/gate.h"
#include "harness/run/measure.h"
#include "harness/run/sweep.h"

#include "attn/alloc.h"
#include "bench/row.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static child_result run_shell(const char *script, double limit) {
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    attn_error error = {0};
    child_result result;
    child_place place = {.cpu = child_pick_cpu(-1, &error), .limit = limit};
    assert_int_equal(child_run(&result, argv, &place, &error), 0);
    return result;
}

static void test_limit(void **state) {
    (void)state;
    child_result late = run_shell("echo begun; exec sleep 600", 0.2);
    assert_true(late.late);
    assert_int_equal(late.signal, SIGKILL);
    assert_string_equal(late.output, "begun\n");
    attn_free(late.output);
    child_result silent =
        run_shell("exec >&- 2>&-; exec sleep 600", 0.2); /* its end is not that of its output */
    assert_true(silent.late);
    attn_free(silent.output);
    child_result ended = run_shell("echo done; exit 3", 600);
    assert_false(ended.late);
    assert_int_equal(ended.status, 3);
    assert_string_equal(ended.output, "done\n");
    attn_free(ended.output);
}

/* Otherwise the pipe that it holds would never end. */
static void test_what_a_child_started_ends_with_it(void **state) {
    (void)state;
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)"sleep 600 & echo begun; wait", NULL};
    attn_error error = {0};
    child_talk talk;
    child_result result;
    char text[8] = "";
    const child_place place = {.cpu = -1};
    assert_int_equal(child_start(&talk, argv, &place, &error), 0);
    assert_int_equal(read(talk.out, text, 6), 6);
    double began = clock_now();
    child_end(&talk, &result);
    assert_int_equal(result.signal, SIGKILL);
    assert_true(clock_now() - began < 300);
}

static void test_late_case_has_failed(void **state) {
    (void)state;
    static const char script[] = "#!/bin/sh\nexec sleep 600\n";
    const char *program = scratch_file("program", script, sizeof script - 1);
    assert_int_equal(chmod(program, 0700), 0);
    attn_error error = {0};
    bench_case c;
    assert_int_equal(bench_case_parse(&c, "attention/mha/decode/L:8/h:2/d:8", &error), 0);
    const measure_settings settings = {
        .program = program, .repetitions = 1, .limit = 0.5, .cpu = child_pick_cpu(-1, &error)};
    json_t *entries;
    measure_outcome outcome;
    assert_int_equal(measure_case(&entries, &outcome, &c, &settings, &error), 0);
    assert_int_equal(outcome, MEASURE_LATE);
    const json_t *message = json_object_get(json_array_get(entries, 0), "error_message");
    assert_non_null(strstr(json_string_value(message), "still running after 0.5 s"));
    json_decref(entries);
}

/* A case whose process hangs has failed when its time is up, and the sweep goes on. */
static void test_sweep_goes_on(void **state) {
    (void)state;
    static const char text[] =
        "repetitions: 1\nmin_time: 0.001\ncases:\n"
        "  - attention/mla/decode/L:8/h:2/d:8/dc:4\n  - attention/mha/decode/L:8/h:2/d:8\n";
    const char *real = getenv("ATTNBENCH");
    char script[512];
    int length = snprintf(script, sizeof script,
                          "#!/bin/sh\ncase \"$*\" in *mla*) exec sleep 600 ;; esac\nexec '%s' \"$@\"\n",
                          real ? real : "build/attnbench");
    const char *program = scratch_file("sometimes", script, (size_t)length);
    assert_int_equal(chmod(program, 0700), 0);
    assert_int_equal(setenv("ATTNBENCH_CHILD", program, 1), 0);
    attn_error error = {0};
    plan p;
    results_store *s;
    store_state found;
    bool failed = false;
    const counting off = {.word = "off"};
    const store_identity identity = {"p", "hash", "commit", "fingerprint"};
    /* long enough for the one that works, on a busy machine */
    const sweep_settings settings = {.counting = &off, .cpu = child_pick_cpu(-1, &error), .limit = 8};
    assert_int_equal(plan_parse(&p, text, strlen(text), "p.yaml", &error), 0);
    assert_int_equal(store_open(&s, &found, scratch_path("R.json"), &identity, STORE_REFUSE, &error), 0);
    if (sweep_run(&p, &settings, s, &error))
        fail_msg("%s", error.message);
    assert_non_null(store_find(s, p.rows[0].name, 0, &failed));
    assert_true(failed);
    assert_non_null(store_find(s, p.rows[1].name, 0, &failed));
    assert_false(failed);
    sweep_counts counts;
    json_t *entries = sweep_entries(&counts, &p, s, &error);
    assert_non_null(entries);
    assert_int_equal(counts.failed, 1);
    json_decref(entries);
    store_close(s);
    plan_free(&p);
    unsetenv("ATTNBENCH_CHILD");
}

/* Nothing that works may be ended: not by a budget that is nearly spent, nor for taking all of its plan's
 * repetitions. */
static void test_limit_of_the_gate(void **state) {
    (void)state;
    const plan brief = {.repetitions = 40, .min_time = 0.0002}, longer = {.repetitions = 70, .min_time = 1};
    gate g = {.settings = {.plan = &brief, .budget = 300}, .began = clock_now()};
    gate_case c = {.base_seconds = 0.05};
    double limit = gate_measure_settings(&g, &c, GATE_CANDIDATE, 0).limit;
    assert_true(limit > 44 && limit < 46); /* 5 + 20 * 40 * 0.05 */
    g.began -= 299;
    limit = gate_measure_settings(&g, &c, GATE_CANDIDATE, 0).limit;
    assert_true(limit > 44 && limit < 46);
    g.settings.plan = &longer; /* no longer than the budget and a quarter of it */
    limit = gate_measure_settings(&g, &c, GATE_BASE, 0).limit;
    assert_true(limit > 70 && limit < 77);
    g.attributing = true;
    g.attributed = clock_now() + 1e4;
    c.base_seconds = 30; /* its check is long */
    assert_true(gate_measure_settings(&g, &c, GATE_CANDIDATE, 0).limit > 30 * 70);
    g.attributed = clock_now() + 60; /* no longer than was announced */
    assert_true(gate_measure_settings(&g, &c, GATE_CANDIDATE, 0).limit <= 60);
}

static void test_looked_up_in_path(void **state) {
    (void)state;
    char *there[] = {(char *)"sh", (char *)"-c", (char *)"echo out; echo err >&2", NULL};
    char *absent[] = {(char *)"no-such-program-anywhere", NULL};
    const child_place both = {.cpu = -1, .errors = CHILD_TO_OUTPUT}, apart = {.cpu = -1};
    attn_error error = {0};
    child_result r;
    assert_int_equal(child_run(&r, there, &both, &error), 0);
    assert_string_equal(r.output, "out\nerr\n");
    assert_string_equal(r.message, "");
    attn_free(r.output);
    assert_int_equal(child_run(&r, there, &apart, &error), 0);
    assert_string_equal(r.output, "out\n");
    assert_string_equal(r.message, "err");
    attn_free(r.output);
    assert_int_equal(child_run(&r, absent, &both, &error), -1);
    assert_int_equal(error.code, ATTN_ERROR_UNSUPPORTED);
}

static int say_and_return(void *context) {
    const char *word = context;
    return write(STDOUT_FILENO, word, strlen(word)) == (ssize_t)strlen(word) ? 7 : 1;
}

static int say_and_hang(void *context) {
    say_and_return(context);
    pause();
    return 0;
}

static void test_function_in_a_child(void **state) {
    (void)state;
    const child_place place = {.cpu = -1}, brief = {.cpu = -1, .limit = 0.2};
    char word[] = "heard";
    attn_error error = {0};
    child_result r;
    assert_int_equal(child_call(&r, say_and_return, word, &place, &error), 0);
    assert_int_equal(r.status, 7);
    assert_string_equal(r.output, "heard");
    attn_free(r.output);
    assert_int_equal(child_call(&r, say_and_hang, word, &brief, &error), 0);
    assert_true(r.late);
    assert_string_equal(r.output, "heard");
    attn_free(r.output);
}

static void test_json_of_a_child(void **state) {
    (void)state;
    static const struct {
        const char *script;
        bool json;
    } cases[] = {{"echo '{\"a\": 1}'", true},
                 {"echo '{\"a\": 1}'; exit 1", false},
                 {"echo '{\"a\":'", false},
                 {"", false}};
    const child_place place = {.cpu = -1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *argv[] = {(char *)"sh", (char *)"-c", (char *)cases[i].script, NULL};
        attn_error error = {0};
        child_result r;
        json_t *reply;
        assert_int_equal(child_json(&reply, &r, argv, &place, &error), 0);
        assert_true(!reply == !cases[i].json);
        json_decref(reply);
    }
}

static cpu_set_t cpus(const char *list) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (; *list; list++)
        CPU_SET((size_t)(*list - '0'), &set);
    return set;
}

static const char before[] = "cpu  9 9 9 9 9 9 9 9 9 9\n"
                             "cpu0 100 0 50 1000 10 0 0 0 0 0\n"
                             "cpu1 100 0 50 1000 10 0 0 0 0 0\n"
                             "cpu2 100 0 50 1000 10 0 0 0 0 0\n"
                             "cpu10 100 0 50 1000 10 0 0 0 0 0\n"
                             "intr 12345\n";

static void test_quiet_cpu(void **state) {
    (void)state;
    static const char after[] = "cpu  9 9 9 9 9 9 9 9 9 9\n"
                                "cpu0 101 0 50 1029 10 0 0 0 0 0\n"  /* 29 of 30 idle */
                                "cpu1 102 0 51 1020 17 0 0 0 0 0\n"  /* 27, 7 of them waiting for a disk */
                                "cpu2 100 0 50 1003 10 0 0 27 0 0\n" /* its host had 27 for others */
                                "cpu10 130 0 50 1000 10 0 0 0 0 0\n"
                                "intr 12399\n";
    cpu_set_t all = cpus("012"), first = cpus("02"), last = cpus("2"), unknown = cpus("5");
    CPU_SET(10, &all);
    assert_int_equal(quiet_cpu_of(before, after, &all), 1);
    assert_int_equal(quiet_cpu_of(before, after, &first), 0);
    assert_int_equal(quiet_cpu_of(before, after, &last), 2);
    assert_int_equal(quiet_cpu_of(before, after, &unknown), -1);
    assert_int_equal(quiet_cpu_of(before, before, &all), -1);
    assert_int_equal(quiet_cpu_of("", "", &all), -1);
}

static void test_quiet_cpu_is_allowed(void **state) {
    (void)state;
    attn_error error = {0};
    int cpu = quiet_cpu_pick(-1, &error);
    assert_true(cpu >= 0);
    assert_int_equal(child_pick_cpu(cpu, &error), cpu);
    assert_int_equal(quiet_cpu_pick(cpu, &error), cpu);
    assert_int_equal(quiet_cpu_pick(CPU_SETSIZE, &error), -1);
    assert_non_null(strstr(error.message, "not a CPU that this process may use"));
}

static int count_cpus(void *context) {
    cpu_set_t allowed;
    (void)context;
    return sched_getaffinity(0, sizeof allowed, &allowed) ? -1 : CPU_COUNT(&allowed);
}

static void test_cpus(void **state) {
    (void)state;
    attn_error error = {0};
    size_t here = (size_t)count_cpus(NULL);
    for (size_t wanted = 0; wanted <= 3; wanted++) {
        const child_place place = {.cpu = child_pick_cpu(-1, &error), .cpus = wanted};
        size_t expected = wanted > 1 ? wanted : 1;
        child_result r;
        assert_int_equal(child_call(&r, count_cpus, NULL, &place, &error), 0);
        assert_int_equal(r.status, expected < here ? expected : here);
        attn_free(r.output);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_what_a_child_started_ends_with_it),
        cmocka_unit_test(test_late_case_has_failed),
        cmocka_unit_test(test_sweep_goes_on),
        cmocka_unit_test(test_limit_of_the_gate),
        cmocka_unit_test(test_looked_up_in_path),
        cmocka_unit_test(test_function_in_a_child),
        cmocka_unit_test(test_json_of_a_child),
        cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_quiet_cpu),
        cmocka_unit_test(test_quiet_cpu_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
