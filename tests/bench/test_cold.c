/* cache:cold empties the caches before each iteration, outside of what counters count; cache:warm never does. */
#include "tests/support/cmocka_all.h"

#include "bench/evict.h"
#include "bench/run.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void __real_bench_evict(void);
void __wrap_bench_evict(void);
void __real_part_times_take(part_times *times, const bench_kind_ops *kind, void *state, void (*before)(void));
void __wrap_part_times_take(part_times *times, const bench_kind_ops *kind, void *state, void (*before)(void));

/* What happened in cases that are warm, and in those that are cold; iterations that are split by part are apart. */
static struct { size_t evictions, starts, evicted_inside, started_warm, split_evictions; } seen[2];
static bool inside, fresh, splitting;
static bench_session session;

static unsigned cache(void) {
    return session.current->row.cache;
}

void __wrap_bench_evict(void) {
    __real_bench_evict();
    if (splitting) {
        seen[cache()].split_evictions++;
        return;
    }
    seen[cache()].evictions++;
    seen[cache()].evicted_inside += inside;
    fresh = true;
}

void __wrap_part_times_take(part_times *times, const bench_kind_ops *kind, void *state,
                            void (*before)(void)) {
    splitting = true;
    __real_part_times_take(times, kind, state, before);
    splitting = false;
}

static void start(void *context) {
    (void)context;
    seen[cache()].starts++;
    seen[cache()].started_warm += !fresh;
    inside = true;
    fresh = false;
}

static void stop(void *context, uint64_t iterations, double bytes) {
    (void)context, (void)bytes;
    inside = false;
    assert_true(iterations > 0);
}

static const char *const rows[] = {"attention/mla/decode/L:40/h:2/d:32/dc:8",
                                   "attention/linear/chunk/L:40/h:2/d:32",
                                   "encoder/conformer/mha/chunk/q:2/left:1/layers:1/h:2/d:16"};
enum { ROWS = sizeof rows / sizeof *rows };

/* All rows, warm and cold, in the one run that Google Benchmark makes of a process; what it prints is thrown away. */
static int run(void **state) {
    (void)state;
    static char name[] = "bench", shortly[] = "--benchmark_min_time=0.0001",
                once[] = "--benchmark_repetitions=1";
    char *argv[] = {name, shortly, once, NULL};
    const bench_probe probe = {.start = start, .stop = stop};
    attn_error error = {0};
    session = (bench_session){.settings = {1, 1e6}, .probe = &probe};
    for (size_t i = 0; i < ROWS; i++) {
        char cold[128];
        snprintf(cold, sizeof cold, "%s/cache:cold", rows[i]);
        assert_int_equal(bench_session_add(&session, rows[i], &error), 0);
        assert_int_equal(bench_session_add(&session, cold, &error), 0);
    }
    fflush(stdout);
    int out = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    int result = bench_session_run(&session, 3, argv, &error);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    close(nowhere);
    if (result || bench_session_status(&session))
        fail_msg("%s", error.message);
    bench_session_free(&session);
    return 0;
}

static void test_cold(void **state) {
    (void)state;
    assert_true(seen[BENCH_COLD].evictions >= ROWS);
    assert_int_equal(seen[BENCH_COLD].evicted_inside, 0);
    assert_int_equal(seen[BENCH_COLD].started_warm, ROWS); /* the warm-ups */
    assert_int_equal(seen[BENCH_COLD].starts, seen[BENCH_COLD].evictions + ROWS);
    assert_true(seen[BENCH_COLD].split_evictions >= ROWS);
}

static void test_warm(void **state) {
    (void)state;
    assert_int_equal(seen[BENCH_WARM].evictions + seen[BENCH_WARM].split_evictions, 0);
    assert_true(seen[BENCH_WARM].starts >= 2 * ROWS);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cold), cmocka_unit_test(test_warm)};
    return cmocka_run_group_tests(tests, run, NULL);
}
