/* Levels found in curves of latency. */
#include "tests/support/cmocka_all.h"

#include "harness/machine/plateaus.h"

enum { KIB = 1024, MIB = 1 << 20, MOST = 8 };

static size_t find(plateau *found, const double *ns, size_t count) {
    curve_point points[32];
    double bytes = 4 * KIB;
    for (size_t i = 0; i < count; i++, bytes *= 2)
        points[i] = (curve_point){bytes, ns[i]};
    return plateaus_find(found, MOST, points, count);
}

static void check(const plateau *p, double from, double to, double ns, bool last) {
    assert_true(p->from == from && p->to == to && p->ns == ns);
    assert_int_equal(p->last, last);
}

/* 4 KiB to 256 MiB: L1 of 32 KiB, L2 of 1 MiB, L3 of 16 MiB, memory. */
static void test_three_caches(void **state) {
    (void)state;
    static const double ns[] = {1, 1, 1, 1.1, 4, 4, 4, 4.2, 4.8, 12, 13, 14, 15, 60, 100, 102, 105};
    plateau p[MOST];
    assert_int_equal(find(p, ns, 17), 4);
    check(&p[0], 4 * KIB, 32 * KIB, 1, false);
    check(&p[1], 64 * KIB, 1 * MIB, 4, false);
    check(&p[2], 2 * MIB, 16 * MIB, 12, false);
    check(&p[3], 64 * MIB, 256 * MIB, 100, true);
}

/* A third cache of which this machine has so little a share that no two sets are served alike: it is no level. */
static void test_shared_cache_like_memory(void **state) {
    (void)state;
    static const double ns[] = {1, 1, 1, 1, 4, 4, 4, 4, 12, 40, 70, 100, 110, 112, 112};
    plateau p[MOST];
    assert_int_equal(find(p, ns, 15), 3);
    check(&p[1], 64 * KIB, 512 * KIB, 4, false);
    check(&p[2], 8 * MIB, 64 * MIB, 100, true);
}

/* A run that was disturbed does not end a level or make one. */
static void test_disturbed(void **state) {
    (void)state;
    static const double ns[] = {1, 5, 1, 1, 4, 4, 19, 4, 100, 100, 300, 100};
    plateau p[MOST];
    assert_int_equal(find(p, ns, 12), 3);
    check(&p[0], 4 * KIB, 32 * KIB, 1, false);
    check(&p[1], 64 * KIB, 512 * KIB, 4, false);
    check(&p[2], 1 * MIB, 8 * MIB, 100, true);
}

/* Memory that grows slower with the set, by its TLB for one, is one level. */
static void test_near_plateaus_are_one(void **state) {
    (void)state;
    static const double ns[] = {1, 1, 1, 94, 98, 130, 145, 150, 158};
    plateau p[MOST];
    assert_int_equal(find(p, ns, 9), 2);
    check(&p[1], 32 * KIB, 1 * MIB, 94, true);
}

static void test_edges(void **state) {
    (void)state;
    static const double rising[] = {1, 2, 4, 8, 16, 32}, flat[] = {3, 3, 3};
    plateau p[MOST];
    assert_int_equal(find(p, rising, 0), 0);
    assert_int_equal(find(p, rising, 1), 0);
    assert_int_equal(find(p, rising, 6), 0);
    assert_int_equal(find(p, flat, 3), 1);
    check(&p[0], 4 * KIB, 16 * KIB, 3, true);
    double many[32]; /* more levels than there is room for */
    for (size_t i = 0; i < 32; i++)
        many[i] = (double)(1 << (i / 2 * 2));
    assert_int_equal(find(p, many, 20), MOST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_caches), cmocka_unit_test(test_shared_cache_like_memory),
        cmocka_unit_test(test_disturbed), cmocka_unit_test(test_near_plateaus_are_one),
        cmocka_unit_test(test_edges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
