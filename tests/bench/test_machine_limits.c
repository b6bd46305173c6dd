#define _GNU_SOURCE /* sched_getaffinity, sched_setaffinity */
/* Limits of the machine: what rows count, kernels that do what they say, checks that stop wrong ones. */
#include "tests/support/cmocka_all.h"

#include "bench/limits/machine_clock.h"
#include "bench/limits/machine_limit.h"
#include "bench/limits/machine_streams.h"
#include "bench/limits/machine_units.h"
#include "bench/limits/pages.h"
#include "bench/row.h"

#include "attn/alloc.h"
#include "attn/cpu.h"
#include "attn/threads.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The kernels that rows get; NULL: the real ones (the linker wraps both). */
static const machine_streams *wrong_streams;
static machine_clock *wrong_clock;

const machine_streams *__real_machine_streams_for(unsigned isa);
const machine_streams *__wrap_machine_streams_for(unsigned isa);
const machine_streams *__wrap_machine_streams_for(unsigned isa) {
    return wrong_streams ? wrong_streams : __real_machine_streams_for(isa);
}

machine_clock *__real_machine_clock_for(unsigned isa);
machine_clock *__wrap_machine_clock_for(unsigned isa);
machine_clock *__wrap_machine_clock_for(unsigned isa) {
    return wrong_clock ? wrong_clock : __real_machine_clock_for(isa);
}

typedef struct numbers {
    double flops, bytes, steps;
} numbers;

static void keep(void *to, const char *name, double value) {
    numbers *n = to;
    *(!strcmp(name, "flops") ? &n->flops : !strcmp(name, "bytes") ? &n->bytes : &n->steps) = value;
}

/* 1 when the row is not supported here, -1 when the check stopped it, else 0. */
static int try_row(const char *row, numbers *found) {
    bench_case c;
    bench_settings settings = {.seed = 7};
    bench_check check;
    attn_error error = {0};
    double cache_bytes = 1;
    void *state = NULL;
    *found = (numbers){0};
    if (bench_case_parse(&c, row, &error))
        fail_msg("%s", error.message);
    int result = bench_machine.prepare(&state, &c, &settings, &error);
    if (result) {
        assert_int_equal(result, BENCH_UNSUPPORTED);
        assert_true(error.message[0]);
        assert_int_equal(attn_alloc_live(), 0);
        return 1;
    }
    assert_int_equal(bench_machine.check(state, &check, &error), 0);
    bench_machine.run(state);
    bench_machine.run(state);
    bench_machine.values(state, &cache_bytes, keep, found);
    assert_true(cache_bytes <= 0.0);
    bench_machine.release(state);
    assert_int_equal(attn_alloc_live(), 0);
    if (!check.ok)
        assert_non_null(strstr(check.what, "off its known answer"));
    return check.ok ? 0 : -1;
}

static const struct {
    const char *row;
    numbers right;
} rows[] = {
    {"machine/write/bytes:4194304", {0, 4194304, 0}},
    {"machine/write/bytes:8388608/isa:base", {0, 8388608, 0}},
    {"machine/write/bytes:64", {0, 4194304, 0}},
    {"machine/write/bytes:1", {0, 4194304, 0}},   /* a line at least */
    {"machine/write/bytes:100", {0, 4194304, 0}}, /* whole lines */
    {"machine/nt_write/bytes:4096", {0, 4194304, 0}},
    {"machine/copy/bytes:4096", {0, 4194304, 0}}, /* two arrays of 2048 */
    {"machine/copy/bytes:200", {0, 4194304, 0}},  /* two of 64, 32768 times */
    {"machine/triad/bytes:12288", {341.0 * 2 * 1024, 341.0 * 12288, 0}},
    {"machine/latency/bytes:4096/pages:small", {0, 32768 * sizeof(void *), 32768}},
    {"machine/latency/bytes:1/pages:small", {0, 32768 * sizeof(void *), 32768}},
    {"machine/latency/bytes:4194368/pages:small", {0, 32768 * sizeof(void *), 32768}},
    {"machine/tlb/bytes:1048576/pages:small", {0, 32768 * sizeof(void *), 32768}},
    {"machine/tlb/bytes:5000/pages:small", {0, 32768 * sizeof(void *), 32768}},
    {"machine/clock/isa:base", {0, 0, 1048576}},
};

static void test_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        numbers found;
        int result = try_row(rows[i].row, &found);
        if (result == 1 && strstr(rows[i].row, "nt_write"))
            continue;
        if (result || memcmp(&found, &rows[i].right, sizeof found))
            fail_msg("%s: %d, found %g FLOPs, %g bytes, %g steps", rows[i].row, result, found.flops,
                     found.bytes, found.steps);
    }
}

/* Each unit makes the products that it should, or is refused. */
static void test_units(void **state) {
    (void)state;
    for (size_t i = 0; machine_unit_names[i]; i++) {
        char row[64];
        numbers found;
        const machine_unit *unit = machine_unit_find(machine_unit_names[i]);
        bool here = unit && machine_unit_runs(unit);
        snprintf(row, sizeof row, "machine/products/unit:%s", machine_unit_names[i]);
        assert_int_equal(try_row(row, &found), !here);
        if (here)
            assert_true(found.flops == 2 * MACHINE_UNIT_ROUNDS * machine_unit_multiply_adds(unit));
    }
}

static bool is_there(void) {
    return true;
}

static double trap(size_t rounds) {
    (void)rounds;
    raise(SIGILL); /* as an instruction that a hypervisor names and does not give */
    return 1;
}

static double work(size_t rounds) {
    return (double)rounds;
}

static void test_illegal_instruction(void **state) {
    (void)state;
    const machine_unit wrong = {"wrong", is_there, 1, NULL, trap}, right = {"right", is_there, 1, NULL, work};
    struct sigaction before, after;
    sigaction(SIGILL, NULL, &before);
    assert_false(machine_unit_runs(&wrong));
    assert_false(machine_unit_runs(&wrong)); /* caught a second time too */
    assert_true(machine_unit_runs(&right));
    sigaction(SIGILL, NULL, &after);
    assert_true(after.sa_handler == before.sa_handler);
}

/* Threads do the same at once, and what they do is added up. */
static void test_side_by_side(void **state) {
    (void)state;
    bench_case c;
    bench_check check;
    attn_error error = {0};
    numbers found = {0};
    double cache_bytes;
    void *limit = NULL;
    attn_threads *threads = NULL;
    assert_int_equal(attn_threads_open(&threads, 2, NULL, &error), 0);
    bench_settings settings = {.seed = 7, .threads = threads};
    assert_int_equal(bench_case_parse(&c, "machine/read/bytes:65536/t:2", &error), 0);
    assert_int_equal(bench_machine.prepare(&limit, &c, &settings, &error), 0);
    assert_int_equal(bench_machine.check(limit, &check, &error), 0);
    assert_true(check.ok);
    bench_machine.run(limit);
    bench_machine.values(limit, &cache_bytes, keep, &found);
    assert_true(found.bytes == 2.0 * 8 * (4 << 20));
    bench_machine.release(limit);
    attn_threads_close(threads);
    assert_int_equal(attn_alloc_live(), 0);
}

/* Every instruction set of this CPU; those that it lacks are refused. */
static void test_instruction_sets(void **state) {
    (void)state;
    static const char *const limits[] = {"write", "copy", "triad", "clock"};
    for (int isa = 0; attn_isa_names[isa]; isa++)
        for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
            char row[64];
            numbers found;
            snprintf(row, sizeof row, "machine/%s/isa:%s", limits[i], attn_isa_names[isa]);
            assert_int_equal(try_row(row, &found), isa > (int)attn_cpu_detected());
        }
}

static void test_huge_pages(void **state) {
    (void)state;
    numbers found;
    assert_true(try_row("machine/latency/bytes:65536/pages:huge", &found) >= 0); /* a kernel may have none */
    pages p;
    attn_error error = {0};
    for (unsigned which = PAGES_SMALL; which <= PAGES_HUGE; which++) {
        if (!pages_map(&p, 5000, which, &error)) {
            assert_true(p.size == 2 << 20 && (uintptr_t)p.memory % (2 << 20) == 0);
            memset(p.memory, 1, p.size);
        } else
            assert_int_equal(error.code, ATTN_ERROR_UNSUPPORTED);
        pages_free(&p);
    }
    assert_int_equal(pages_map(&p, (size_t)1 << 60, PAGES_SMALL, &error), -1);
    pages_free(&p);
}

static void test_handoff(void **state) {
    (void)state;
    cpu_set_t allowed, one;
    int cpu[2], count = 0;
    char row[64];
    numbers found;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    for (int i = 0; i < CPU_SETSIZE && count < 2; i++)
        if (CPU_ISSET((size_t)i, &allowed))
            cpu[count++] = i;
    if (CPU_COUNT(&allowed) > 1)
        assert_int_equal(try_row("machine/handoff/cpu:0", &found), 1); /* not held to one CPU */
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu[0], &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    snprintf(row, sizeof row, "machine/handoff/cpu:%d", cpu[0]);
    assert_int_equal(try_row(row, &found), 1); /* itself */
    assert_int_equal(try_row("machine/handoff/cpu:1000000", &found), 1);
    snprintf(row, sizeof row, "machine/handoff/cpu:%d", count > 1 ? cpu[1] : cpu[0]);
    assert_int_equal(try_row(row, &found), count < 2);
    assert_true(count < 2 || (found.steps > 8191 && found.steps < 8193));
    assert_int_equal(sched_setaffinity(0, sizeof allowed, &allowed), 0);
}

static void write_too_little(float *x, size_t n, float value, size_t passes) {
    __real_machine_streams_for(0)->write(x, n - 16, value, passes);
}

static void write_too_late(float *x, size_t n, float value, size_t passes) {
    __real_machine_streams_for(0)->write(x + 16, n - 16, value, passes);
}

static void copy_the_first(float *to, const float *from, size_t n, size_t passes) {
    (void)passes;
    for (size_t i = 0; i < n; i++)
        to[i] = from[0];
}

static void add_no_product(float *sum, const float *x, const float *y, float scale, size_t n, size_t passes) {
    (void)scale;
    __real_machine_streams_for(0)->triad(sum, x, y, 1.0f, n, passes);
}

static uint64_t add_half(uint64_t rounds, uint64_t one, float *lane) {
    return __real_machine_clock_for(0)(rounds / 2, one, lane);
}

static uint64_t no_vectors(uint64_t rounds, uint64_t one, float *lane) {
    uint64_t sum = __real_machine_clock_for(0)(rounds, one, lane);
    *lane = 0;
    return sum;
}

static void test_wrong_kernels(void **state) {
    (void)state;
    static const machine_streams wrong = {write_too_little, copy_the_first, add_no_product, write_too_late};
    static const char *const streams[] = {"write", "copy", "triad", "nt_write"};
    numbers found;
    wrong_streams = &wrong;
    for (size_t i = 0; i < 4; i++) {
        char row[64];
        snprintf(row, sizeof row, "machine/%s/bytes:65536", streams[i]);
        assert_int_equal(try_row(row, &found), -1);
    }
    wrong_streams = NULL;
    wrong_clock = add_half;
    assert_int_equal(try_row("machine/clock/isa:base", &found), -1);
    wrong_clock = no_vectors;
    assert_int_equal(try_row("machine/clock/isa:base", &found), -1);
    wrong_clock = NULL;
}

/* A chase that leaves lines out, or ends elsewhere, is no chase over the working set. */
static void test_broken_chase(void **state) {
    (void)state;
    bench_case c;
    bench_settings settings = {.seed = 7};
    void *chase;
    assert_int_equal(bench_case_parse(&c, "machine/latency/bytes:4096/pages:small", NULL), 0);
    for (size_t broken = 0; broken < 64; broken += 21) {
        assert_int_equal(limit_latency.prepare(&chase, &c, &settings, NULL), 0);
        assert_true(limit_latency.off(chase) <= 0.0);
        void **line = (void **)(void *)((char *)((pages *)chase)->memory + 64 * broken);
        *line = line; /* the first word of a line is where to go next */
        assert_true(limit_latency.off(chase) > 0.0);
        limit_latency.release(chase);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_units),        cmocka_unit_test(test_illegal_instruction),
        cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_huge_pages),
        cmocka_unit_test(test_handoff),      cmocka_unit_test(test_wrong_kernels),
        cmocka_unit_test(test_broken_chase)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
