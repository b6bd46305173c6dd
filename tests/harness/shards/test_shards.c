#include "bench/row.h"
#include "harness/results/lock.h"
#include "harness/results/machines.h"
#include "harness/shards/case_cost.h"
#include "harness/shards/plan_split.h"

#include "attn/alloc.h"

#include "tests/support/cmocka_all.h"

#include <glob.h>
#include <math.h>
#include <string.h>

static void test_words(void **state) {
    (void)state;
    static const char *const bad[] = {"",     "1",       "0/3",  "4/3",  "1/0", "a/3",
                                      "1/3x", "1/99999", "-1/3", " 1/3", "/3",  "1/"};
    attn_error error = {0};
    shard s;
    assert_int_equal(shard_parse(&s, "3/8", &error), 0);
    assert_int_equal(s.index, 3);
    assert_int_equal(s.count, 8);
    assert_int_equal(shard_parse(&s, NULL, &error), 0);
    assert_int_equal(s.count, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error = (attn_error){0};
        if (!shard_parse(&s, bad[i], &error))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

/* Seconds 5 4 3 3 3 for two: 9 and 9. */
static void test_deal(void **state) {
    (void)state;
    const double costs[] = {3, 5, 3, 4, 3};
    size_t part[5], other[5];
    attn_error error = {0};
    assert_int_equal(shard_deal(part, costs, 5, 2, &error), 0);
    double sum[3] = {0};
    for (size_t i = 0; i < 5; i++)
        sum[part[i]] += costs[i];
    assert_true(sum[1] + sum[2] == 18);
    assert_true(sum[1] >= 8 && sum[1] <= 10);
    assert_int_equal(shard_deal(other, costs, 5, 2, &error), 0);
    assert_memory_equal(part, other, sizeof part);
    assert_int_equal(shard_deal(part, costs, 5, 100, &error), 0);
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(part[i], part[k]);
}

static void read_plan(plan *p, const char *path) {
    attn_error error = {0};
    if (plan_read(p, path, &error))
        fail_msg("%s", error.message);
}

static void deal(plan_split *s, const plan *p, size_t index, size_t count) {
    attn_error error = {0};
    const shard own = {index, count};
    if (plan_split_make(s, p, &own, "off", NULL, &error))
        fail_msg("%s", error.message);
}

/* Marks the rows of a shard, which are in the plan's order. */
static void mark(char *seen, const plan *whole, const plan *part) {
    size_t at = 0;
    for (size_t i = 0; i < part->count; i++, at++) {
        while (at < whole->count && strcmp(whole->rows[at].name, part->rows[i].name) != 0)
            at++;
        assert_true(at < whole->count);
        if (seen[at]++)
            fail_msg("%s is in two shards", part->rows[i].name);
    }
}

static void check_partition(const plan *whole, size_t count) {
    plan_split s, last;
    char hash[PLAN_HASH];
    size_t rows = 0;
    char *seen = attn_alloc(whole->count, 1, "rows", NULL);
    bench_case *room = attn_alloc(whole->count, sizeof *room, "rows", NULL);
    deal(&s, whole, 1, count);
    deal(&last, whole, count, count);
    assert_string_equal(s.units_hash, last.units_hash);
    plan_hash(hash, whole, "off");
    assert_string_equal(s.rows_hash, hash);
    for (size_t k = 1; k <= count; k++) {
        plan part = *whole;
        part.rows = memcpy(room, whole->rows, whole->count * sizeof *room);
        s.own.index = k;
        plan_split_keep(&s, &part);
        mark(seen, whole, &part);
        rows += part.count;
    }
    assert_int_equal(rows, whole->count);
    plan_split_free(&s);
    plan_split_free(&last);
    attn_free(seen);
    attn_free(room);
}

static void test_shipped_plans(void **state) {
    (void)state;
    static const size_t counts[] = {2, 3, 7, 100};
    glob_t plans;
    assert_int_equal(glob("harness/plan/plans/*.yaml", 0, NULL, &plans), 0);
    for (size_t p = 0; p < plans.gl_pathc; p++) {
        plan whole;
        read_plan(&whole, plans.gl_pathv[p]);
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
            check_partition(&whole, counts[i]);
        plan_free(&whole);
    }
    globfree(&plans);
}

static double cost_of(const char *row, size_t rounds) {
    plan p = {.repetitions = 6, .rounds = rounds, .min_time = 0.05};
    bench_case c;
    attn_error error = {0};
    if (bench_case_parse(&c, row, &error))
        fail_msg("%s", error.message);
    return case_cost(&c, &p);
}

/* Another round costs another process: without a check for our cases; those of peers take longer to start. */
static void test_cost_of_rounds(void **state) {
    (void)state;
    static const char ours[] = "attention/mha/decode/L:2000/q:1/h:8/d:512/kv:f32/impl:blas";
    static const char peers[] = "attention/mha/decode/L:2000/q:1/h:8/d:512/kv:f32/impl:torch";
    double one = cost_of(ours, 1), third = cost_of(ours, 3) - cost_of(ours, 2);
    assert_true(third >= case_start(false));
    assert_true(fabs(third - (cost_of(ours, 2) - one)) < 1e-9);
    assert_true(third < one - 6 * 0.05);
    assert_true(cost_of(peers, 3) - cost_of(ours, 3) > 3 * (case_start(true) - case_start(false)));
}

/* What machines differ in is not part of a unit. */
static void test_units(void **state) {
    (void)state;
    static const char *const units[][2] = {{"machine/read/bytes:24576/isa:avx2", "machine/read"},
                                           {"machine/latency/bytes:4096/pages:huge", "machine/latency"},
                                           {"kernel/attend/kv:q8_0/isa:avx2", "kernel/attend/kv:q8_0"},
                                           {"attention/mha/decode/L:5/q:1/h:2/d:8/kv:f32/impl:avx2",
                                            "attention/mha/decode/L:5/q:1/h:2/d:8/kv:f32/impl:avx2"}};
    char unit[BENCH_NAME_MAX];
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        plan_unit(unit, units[i][0]);
        assert_string_equal(unit, units[i][1]);
    }
}

static void test_locks(void **state) {
    (void)state;
    static const char mounts[] =
        "21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "36 21 0:43 / /home rw,noatime shared:1 - nfs4 server:/home "
        "rw,vers=4.2,local_lock=none,addr=127.0.0.1\n"
        "37 21 0:44 / /old rw shared:2 master:1 - nfs server:/old rw,vers=3,nolock,addr=127.0.0.1\n"
        "38 21 0:45 / /odd rw - nfs server:/odd rw,vers=3,local_lock=flock\n"
        "39 21 0:46 / /lustre rw - lustre server:/l rw,flock\n"
        "40 21 0:47 / /lone rw - lustre server:/l rw,localflock\n"
        "41 21 0:48 / /away rw - fuse.sshfs host: rw,user_id=0\n"
        "42 21 0:49 / /share rw - cifs //server/share rw,vers=3.1.1\n"
        "43 21 0:50 / /loose rw - cifs //server/share rw,nobrl\n"
        "44 21 0:51 / /layers rw - fuse.fuse-overlayfs o rw\n";
    assert_int_equal(lock_find_reach(mounts, "8:1"), LOCK_IS_SURE);
    assert_int_equal(lock_find_reach(mounts, "0:43"), LOCK_OUTLIVES);
    assert_int_equal(lock_find_reach(mounts, "0:44"), LOCK_STAYS_LOCAL);
    assert_int_equal(lock_find_reach(mounts, "0:45"), LOCK_STAYS_LOCAL);
    assert_int_equal(lock_find_reach(mounts, "0:46"), LOCK_IS_SURE);
    assert_int_equal(lock_find_reach(mounts, "0:47"), LOCK_STAYS_LOCAL);
    assert_int_equal(lock_find_reach(mounts, "0:48"), LOCK_STAYS_LOCAL);
    assert_int_equal(lock_find_reach(mounts, "0:49"), LOCK_IS_SURE);
    assert_int_equal(lock_find_reach(mounts, "0:50"), LOCK_STAYS_LOCAL);
    assert_int_equal(lock_find_reach(mounts, "0:51"), LOCK_IS_SURE);
    assert_int_equal(lock_find_reach(mounts, "0:4"), LOCK_IS_SURE);
    assert_int_equal(lock_find_reach("", "8:1"), LOCK_IS_SURE);
}

#define ENTRY(name, machine)                                                                                 \
    "{\"name\":\"" name "\",\"run_name\":\"" name "\",\"run_type\":\"iteration\",\"error_occurred\":true,"   \
    "\"error_message\":\"e\",\"machine\":" machine                                                           \
    ",\"case\":{\"kind\":\"machine\",\"what\":\"sgemm\",\"n\":16}}"
#define MACHINE(cpu, print)                                                                                  \
    "{\"host_name\":\"" cpu "\",\"attnbench\":{\"machine\":{\"cpu\":\"" cpu                                  \
    "\"},\"blas\":{},\"fingerprint\":\"" print "\"}}"
#define MERGED(entries)                                                                                      \
    "{\"context\":{\"attnbench\":{\"schema\":1,\"commit\":\"c\",\"plan\":\"p\",\"fingerprint\":\"mixed\","   \
    "\"seed\":1,"                                                                                            \
    "\"cases\":3,\"failed\":0,\"machine\":{\"cpu\":\"A\"},\"build\":{},\"blas\":{},\"machines\":[" MACHINE(  \
        "A", "1") "," MACHINE("B", "2") "," MACHINE("C", "1") "]}},\"benchmarks\":[" entries "]}"

static void test_kinds(void **state) {
    (void)state;
    static const char text[] = MERGED(ENTRY("a", "0") "," ENTRY("b", "1") "," ENTRY("c", "2"));
    results r, part;
    attn_error error = {0};
    char cpus[100];
    if (results_parse(&r, text, strlen(text), "merged", &error))
        fail_msg("%s", error.message);
    assert_int_equal(results_machines(&r), 3);
    assert_int_equal(results_kinds(cpus, sizeof cpus, &r), 2);
    assert_string_equal(cpus, "A, B");
    assert_int_equal(results_find(&r, "c")->machine, 2);
    assert_int_equal(results_kind_of(&r, 2), 0);
    assert_int_equal(results_of_kind(&part, &r, 0, "merged", &error), 0);
    assert_int_equal(part.count, 2);
    assert_string_equal(results_text(&part, "fingerprint", ""), "1");
    assert_int_equal(results_machines(&part), 2);
    assert_int_equal(results_find(&part, "c")->machine, 1);
    results_free(&part);
    assert_int_equal(results_of_kind(&part, &r, 1, "merged", &error), 0);
    assert_int_equal(part.count, 1);
    assert_string_equal(results_text(&part, "machine.cpu", ""), "B");
    assert_int_equal(results_find(&part, "b")->machine, 0);
    results_free(&part);
    results_free(&r);
}

static void test_wrong_machines(void **state) {
    (void)state;
    static const char *const bad[] = {MERGED(ENTRY("a", "3")), MERGED(ENTRY("a", "-1")),
                                      MERGED(ENTRY("a", "\"A\"")),
                                      MERGED(ENTRY("a", "0") "," ENTRY("a", "1"))};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        results r;
        attn_error error = {0};
        if (!results_parse(&r, bad[i], strlen(bad[i]), "merged", &error))
            fail_msg("number %zu was taken", i);
        assert_non_null(strstr(error.message, "machine"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),          cmocka_unit_test(test_deal),
        cmocka_unit_test(test_shipped_plans),  cmocka_unit_test(test_units),
        cmocka_unit_test(test_cost_of_rounds), cmocka_unit_test(test_locks),
        cmocka_unit_test(test_kinds),          cmocka_unit_test(test_wrong_machines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
