/* Validation of counters: what is made of readings, and that a source that lies is never trusted. */
#include "harness/counters/counter_set.h"
#include "harness/counters/validate/judge_counter.h"
#include "harness/counters/validate/known_loops.h"
#include "harness/counters/validate/validate.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/refusals.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>
#include <string.h>

/* A source that gets the truth (the bytes that a region declares) and makes something else of it. */
static double (*make_value)(double truth);
static double declared;
static int regions;
static const counter_source liar;

static int liar_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    (void)error;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(slots[i].event->name, "cache_bytes_read"))
            slots[i].source = &liar;
    *state = &declared;
    return 0;
}

static void liar_start(void *state) {
    (void)state;
    regions++;
}

static void liar_stop(void *state, double truth) {
    *(double *)state = truth;
}

static void liar_read(void *state, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (slots[i].source == &liar) {
            slots[i].value = make_value(*(double *)state);
            slots[i].known = !isnan(slots[i].value);
        }
}

static void liar_close(void *state) {
    (void)state;
}

static const counter_source liar = {.name = "liar",
                                    .open = liar_open,
                                    .start = liar_start,
                                    .stop = liar_stop,
                                    .read = liar_read,
                                    .close = liar_close};

static double truth(double value) {
    return value;
}

static double nearly(double value) {
    return value * (regions % 2 ? 1.015 : 0.99);
}

static double twice(double value) {
    return 2 * value;
}

static double half(double value) {
    return value / 2;
}

static double zero(double value) {
    (void)value;
    return 0;
}

static double negated(double value) {
    return -value;
}

static double stuck(double value) {
    (void)value;
    return 123456789; /* right for the small run */
}

static double wraps(double value) {
    return fmod(value, 200e6); /* right for the small run, too */
}

static double wild(double value) {
    return value * (1 + regions % 3);
}

static double late(double value) {
    return regions % 6 == 2 ? 0 : value; /* one run in six */
}

static double nothing(double value) {
    (void)value;
    return NAN;
}

static const counter_event *event_named(const char *name) {
    for (size_t i = 0; i < counter_event_count; i++)
        if (!strcmp(counter_events[i].name, name))
            return &counter_events[i];
    fail_msg("no event %s", name);
    return NULL;
}

static json_t *validate_liar(double (*lie)(double)) {
    const counter_event *events[] = {event_named("cache_bytes_read"), event_named("cycles")};
    const known_cpu cpu = {.line = 64, .l1d = 32 << 10, .l2 = 1 << 20, .llc = 1 << 23};
    attn_error error = {0};
    json_t *metrics = json_array();
    make_value = lie;
    regions = 0;
    assert_int_equal(validate_source(metrics, &liar, events, 2, &cpu, &error), 0);
    return metrics;
}

static void test_lies(void **state) {
    (void)state;
    static const struct {
        double (*lie)(double);
        const char *status, *reason;
        double factor;
    } rows[] = {{truth, "trusted", NULL, 0},
                {nearly, "trusted", NULL, 0},
                {twice, "rejected", "2 to 2 times", 0}, /* by one kernel: no scale */
                {half, "rejected", "0.5 to 0.5 times", 0},
                {zero, "rejected", "read 0 where 123456789 were expected", 0},
                {negated, "rejected", "read -123456789, which cannot be", 0},
                {stuck, "rejected", "0.5 to 1 times", 0},
                {wraps, "rejected", "times what was expected", 0},
                {wild, "rejected", "1 to 3 times", 0},
                {late, "rejected", "read 0 where", 0},
                {nothing, "rejected", "not a number", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *metrics = validate_liar(rows[i].lie);
        const json_t *m = validation_find(metrics, "cache_bytes_read", "liar");
        const char *reason = json_string_value(json_object_get(m, "reason"));
        if (strcmp(validation_status(m), rows[i].status) || !reason != !rows[i].reason ||
            (reason && !strstr(reason, rows[i].reason)))
            fail_msg("row %zu: %s, %s", i, validation_status(m), reason);
        assert_true(fabs(json_number_value(json_object_get(m, "factor")) - rows[i].factor) < 0.01);
        assert_string_equal(json_string_value(json_object_get(m, "kernel")), "declare");
        assert_null(validation_find(metrics, "cycles", "liar")); /* nobody asked it for those */
        json_decref(metrics);
    }
}

/* The fields that issue and report rely on, null where there is nothing to say. */
static void test_form(void **state) {
    (void)state;
    static const char *const keys[] = {"name",     "source", "status", "expected",
                                       "measured", "kernel", "reason"};
    attn_error error = {0};
    const counter_event *events[] = {event_named("cache_bytes_read"), event_named("page_faults_major"),
                                     event_named("page_faults_minor")};
    json_t *metrics = validate_metrics("off", events, 3, &error), *metric;
    size_t i;
    assert_non_null(metrics);
    json_array_foreach(metrics, i, metric) {
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            assert_non_null(json_object_get(metric, keys[k]));
        assert_int_equal(json_object_size(metric), sizeof keys / sizeof *keys);
    }
    assert_string_equal(validation_status(validation_find(metrics, "page_faults_minor", "kernel")),
                        "trusted");
    const json_t *major = validation_find(metrics, "page_faults_major", "kernel");
    assert_string_equal(validation_status(major), "unchecked");
    assert_true(json_is_null(json_object_get(major, "expected")));
    assert_null(validation_find(metrics, "cache_bytes_read", "kernel"));
    assert_string_equal(validation_status(NULL), "");
    json_decref(metrics);
}

static void judge(const known_reading *readings, size_t count, verdict_status status, const char *reason) {
    verdict v;
    verdict_judge(&v, readings, count);
    if (v.status != status || !strstr(v.reason, reason))
        fail_msg("%s: %s", verdict_names[v.status], v.reason);
}

static void test_judge(void **state) {
    (void)state;
    static const char a[] = "a", b[] = "b";
    verdict v;
    /* The worst kernel is reported, and one outlier of five is left out. */
    const known_reading fine[] = {{a, 1, 100, 100, 100, true, 100.1}, {a, 1, 100, 100, 100, true, 100.1},
                                  {a, 1, 100, 100, 100, true, 100.1}, {a, 1, 100, 100, 100, true, 100.1},
                                  {a, 1, 100, 100, 100, true, 900},   {b, 1, 100, 100, 100, true, 101},
                                  {b, 2, 200, 200, 200, true, 202},   {b, 3, 0, 0, 100, true, 1}};
    verdict_judge(&v, fine, sizeof fine / sizeof *fine);
    assert_int_equal(v.status, VERDICT_TRUSTED);
    assert_string_equal(v.kernel, b);
    assert_true(v.expected == 100 && v.measured == 101);
    assert_string_equal(v.reason, "");
    /* Of four, none is left out. */
    judge(fine + 1, 4, VERDICT_REJECTED, "a: read 1 to 9 times what was expected");

    const known_reading three[] = {{a, 1, 100, 100, 100, true, 303}, {b, 1, 100, 100, 100, true, 297}};
    judge(three, 2, VERDICT_SCALED, "reads 3 times");
    const known_reading kernels[] = {{a, 1, 100, 100, 100, true, 100}, {b, 1, 100, 100, 100, true, 300}};
    judge(kernels, 2, VERDICT_REJECTED, "read 1 times what was expected of a, and 3 times of b");
    const known_reading beyond[] = {{a, 1, 100, 100, 100, true, 102.5}, {b, 1, 100, 100, 100, true, 102.5}};
    judge(beyond, 2, VERDICT_SCALED, "1.025 times");
    judge(beyond, 1, VERDICT_REJECTED, "1.02 to 1.02 times"); /* one kernel never makes a scale */
    const known_reading within[] = {{a, 1, 100, 50, 100, true, 77}, {a, 2, 200, 100, 200, true, 199}};
    judge(within, 2, VERDICT_TRUSTED, "");
    const known_reading below[] = {{a, 1, 100, 50, 100, true, 25}};
    judge(below, 1, VERDICT_REJECTED, "0.5 to 0.5 times");
    const known_reading some[] = {{a, 1, 100, 100, 100, true, 100}, {b, 1, 0, 0, 100, true, 50}};
    judge(some, 2, VERDICT_REJECTED, "b: read 50 where none were expected");
    const known_reading unread[] = {{a, 1, 100, 100, 100, true, 100}, {a, 1, 100, 100, 100, false, 100}};
    judge(unread, 2, VERDICT_REJECTED, "could not be read in every run");
    /* That nothing was counted where nothing was is no proof. */
    const known_reading none[] = {{a, 1, 0, 0, 100, true, 0}};
    judge(none, 1, VERDICT_UNCHECKED, "no kernel");
    judge(NULL, 0, VERDICT_UNCHECKED, "no kernel");
}

/* ---- A last level cache of 16 ways that is simulated here, and its right counter */

enum { WAYS = 16, SETS = 64, LINES_HELD = WAYS * SETS, OLDEST = 3 };

typedef enum policy { REPLACE_AT_RANDOM, BRRIP, POLICIES } policy;

typedef struct last_level {
    policy policy;
    uint64_t random;
    size_t line[SETS][WAYS];
    unsigned char age[SETS][WAYS]; /* BRRIP: 0 is used soon, OLDEST goes first */
} last_level;

/* Jaleel et al. 2010: what comes in is old already, but for one line in 32. */
static size_t victim_of(last_level *c, size_t set) {
    if (c->policy == REPLACE_AT_RANDOM)
        return (size_t)attn_random_below(&c->random, WAYS);
    for (;;) {
        for (size_t way = 0; way < WAYS; way++)
            if (c->age[set][way] == OLDEST)
                return way;
        for (size_t way = 0; way < WAYS; way++)
            c->age[set][way]++;
    }
}

static bool misses(last_level *c, size_t line) {
    size_t set = line % SETS;
    for (size_t way = 0; way < WAYS; way++)
        if (c->line[set][way] == line + 1) {
            c->age[set][way] = 0;
            return false;
        }
    size_t way = victim_of(c, set);
    c->line[set][way] = line + 1;
    c->age[set][way] = attn_random_below(&c->random, 32) ? OLDEST : OLDEST - 1;
    return true;
}

/* Rounds through a working set in a fixed order that is no order of lines. */
static size_t chase_misses(last_level *c, size_t lines, size_t rounds) {
    size_t count = 0;
    for (size_t i = 0; i < rounds * lines; i++)
        count += misses(c, i * 40503 % lines);
    return count;
}

/* What the kernel that chases through four times the cache reads on it, in all sizes and runs. */
static void test_last_level_that_resists(void **state) {
    (void)state;
    const known_cpu cpu = {.line = 64, .l1d = 4 << 10, .l2 = 16 << 10, .llc = LINES_HELD * 64};
    const known_kernel *chase = NULL;
    for (size_t i = 0; i < known_kernel_count; i++)
        if (!strcmp(known_kernels[i]->name, "chase_memory"))
            chase = known_kernels[i];
    for (policy p = 0; p < POLICIES; p++) {
        static last_level cache;
        known_reading readings[10];
        size_t count = 0;
        cache = (last_level){.policy = p, .random = 3};
        memset(cache.age, OLDEST, sizeof cache.age);
        chase_misses(&cache, 4 * LINES_HELD, 100);
        for (size_t n = 1; n <= 2; n++)
            for (int run = 0; run < 5; run++) {
                known_work w = {.cpu = &cpu, .bytes = 4 * LINES_HELD * 64};
                known_answer answers[KNOWN_ANSWERS_MAX];
                size_t a = 0, all = chase->answers(&w, n, answers);
                while (a < all && strcmp(answers[a].event, "llc_misses"))
                    a++;
                assert_true(a < all);
                size_t read = chase_misses(&cache, 4 * LINES_HELD, n);
                readings[count++] =
                    (known_reading){chase->name,      n,    answers[a].expected, answers[a].least,
                                    answers[a].scale, true, (double)read};
            }
        assert_true(readings[0].measured <
                    (p == BRRIP ? 0.9 : 0.99) * readings[0].expected); /* it does resist */
        verdict v;
        verdict_judge(&v, readings, count);
        if (v.status != VERDICT_TRUSTED)
            fail_msg("policy %d: %s, %s", p, verdict_names[v.status], v.reason);
    }
}

/* All kernels that can run here compute what they should, and end. */
static void test_kernels_run(void **state) {
    (void)state;
    const known_cpu cpu = {.line = 64, .l1d = 4 << 10, .l2 = 64 << 10, .llc = 1 << 20};
    for (size_t i = 0; i < known_kernel_count; i++) {
        const known_kernel *k = known_kernels[i];
        known_work w = {.cpu = &cpu};
        known_answer answers[KNOWN_ANSWERS_MAX];
        attn_error error = {0};
        size_t before = k->answers(&w, 1, answers);
        if (k->loops && !KNOWN_LOOPS)
            continue;
        int prepared = k->prepare(&w, &error);
        assert_true(prepared >= 0);
        if (!prepared)
            k->run(&w, 1);
        size_t count = k->answers(&w, 1, answers);
        assert_in_range(count, 1, KNOWN_ANSWERS_MAX);
        assert_int_equal(count, before);
        for (size_t a = 0; a < count; a++)
            assert_true(answers[a].expected >= 0);
        known_work_free(&w);
    }
}

/* One cycle through all lines: as many steps as there are lines lead back, and fewer do not. */
static void test_chase(void **state) {
    (void)state;
    const known_cpu cpu = {.line = 64, .l1d = 1 << 10, .l2 = 64 << 10, .llc = 1 << 20};
    for (size_t i = 0; KNOWN_LOOPS && i < known_kernel_count; i++) {
        known_work w = {.cpu = &cpu};
        attn_error error = {0};
        if (strcmp(known_kernels[i]->name, "chase_l1"))
            continue;
        assert_int_equal(known_kernels[i]->prepare(&w, &error), 0);
        size_t lines = w.bytes / 64;
        const void *at = w.memory;
        for (size_t step = 1; step < lines; step++) {
            at = known_chase(at, 1);
            assert_ptr_not_equal(at, w.memory);
        }
        assert_ptr_equal(known_chase(at, 1), w.memory);
        known_work_free(&w);
    }
}

static int validate_again(void *context, attn_error *error) {
    const counter_event *events[] = {event_named("cache_bytes_read")};
    const known_cpu cpu = {.line = 64};
    json_t *metrics = json_array();
    (void)context;
    int result = validate_source(metrics, &liar, events, 1, &cpu, error);
    json_decref(metrics);
    return result;
}

static void test_no_memory(void **state) {
    (void)state;
    make_value = truth;
    assert_true(refuse_each_allocation(validate_again, NULL) >= 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lies),     cmocka_unit_test(test_form),
        cmocka_unit_test(test_judge),    cmocka_unit_test(test_kernels_run),
        cmocka_unit_test(test_chase),    cmocka_unit_test(test_last_level_that_resists),
        cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
