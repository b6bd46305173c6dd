/* The delay put into timed regions: what is read, and that it comes out in times. */
#include "tests/support/cmocka_all.h"

#include "bench/delay.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int parse(bench_delay *delay, const char *text) {
    attn_error error = {0};
    return bench_delay_parse(delay, text, &error);
}

static void test_parse(void **state) {
    (void)state;
    bench_delay delay;
    assert_int_equal(parse(&delay, NULL), 0);
    assert_int_equal(delay.unit, BENCH_DELAY_NONE);
    assert_false(bench_delay_applies(&delay, "anything"));
    assert_int_equal(parse(&delay, ""), 0);
    assert_int_equal(delay.unit, BENCH_DELAY_NONE);
    assert_int_equal(parse(&delay, "mla/decode=5%"), 0);
    assert_int_equal(delay.unit, BENCH_DELAY_PERCENT);
    assert_true(delay.amount > 4.99 && delay.amount < 5.01);
    assert_true(bench_delay_applies(&delay, "attention/mla/decode/L:8"));
    assert_false(bench_delay_applies(&delay, "attention/mla/chunk/L:8"));
    bench_delay_free(&delay);
    assert_int_equal(parse(&delay, "^a=b$=300ns"), 0);
    assert_int_equal(delay.unit, BENCH_DELAY_NS);
    assert_true(bench_delay_applies(&delay, "a=b"));
    bench_delay_free(&delay);
    assert_int_equal(parse(&delay, ".=40loops"), 0);
    assert_int_equal(delay.unit, BENCH_DELAY_LOOPS);
    assert_int_equal(bench_delay_loops(&delay, NULL, NULL), 40);
    bench_delay_free(&delay);
}

static void test_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"mla",      "mla=", "mla=5",   "mla=%",        "mla=-5%",  "mla=nan%",
                                      "mla=inf%", "(=5%", "mla=5 %", "mla=5percent", "mla=1e30%"};
    bench_delay delay;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        attn_error error = {0};
        if (!bench_delay_parse(&delay, bad[i], &error))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_non_null(strstr(error.message, "ATTNBENCH_DELAY"));
        bench_delay_free(&delay);
    }
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void work(void *context) {
    bench_delay_spin(*(const uint64_t *)context);
}

/* The work is the loop itself, so a percentage of it is a number of its turns: the machine's speed cancels.
 * Wide limits: other programs may run. */
static void test_percent(void **state) {
    (void)state;
    uint64_t turns = 200000;
    bench_delay delay;
    assert_int_equal(parse(&delay, ".=50%"), 0);
    uint64_t loops = bench_delay_loops(&delay, work, &turns);
    assert_true(loops > turns / 8 && loops < 2 * turns);
    bench_delay_free(&delay);
}

static void test_spin_takes_time(void **state) {
    (void)state;
    double began = seconds();
    bench_delay_spin(20000000);
    assert_true(seconds() - began > 1e-3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_percent),
                                       cmocka_unit_test(test_spin_takes_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
