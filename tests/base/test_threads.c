#define _GNU_SOURCE /* sched_getcpu, sched_getaffinity */
#include "attn/cpu.h"
#include "attn/threads.h"
#include "tests/support/cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3, TIMES = 300, COUNT = 1000 };

typedef struct sums {
    double x[COUNT], of_part[THREADS];
    size_t parts[THREADS];
    pthread_t id[THREADS];
    attn_isa isa[THREADS];
    size_t inside[THREADS]; /* parts of work that is shared inside of a part */
    int runs[THREADS];
} sums;

static void count_inside(void *context, size_t part, size_t parts) {
    (void)part;
    *(size_t *)context = parts;
}

static void add(void *context, size_t part, size_t parts) {
    sums *s = context;
    attn_range range = attn_part_range(COUNT, 1, part, parts);
    s->of_part[part] = 0.0;
    for (size_t i = range.begin; i < range.end; i++)
        s->of_part[part] += s->x[i];
    s->parts[part] = parts;
    s->id[part] = pthread_self();
    s->isa[part] = attn_cpu_limit(ATTN_ISA_BASE);
    attn_cpu_limit(s->isa[part]);
    s->runs[part]++;
    attn_share(count_inside, &s->inside[part]);
}

static void fill(sums *s) {
    *s = (sums){.runs = {0}};
    for (size_t i = 0; i < COUNT; i++)
        s->x[i] = (double)(i + 1);
}

static void expect_sums(const sums *s, int runs) {
    double sum = 0.0;
    for (size_t i = 0; i < THREADS; i++) {
        sum += s->of_part[i];
        assert_int_equal(s->runs[i], runs);
        assert_int_equal(s->parts[i], THREADS);
        assert_int_equal(s->inside[i], 1);
    }
    assert_true(sum == COUNT * (COUNT + 1) / 2.0);
}

static attn_threads *open_some(size_t count, const int *cpus) {
    attn_error error = {0};
    attn_threads *threads;
    if (attn_threads_open(&threads, count, cpus, &error))
        fail_msg("%s", error.message);
    return threads;
}

static void test_parts(void **state) {
    (void)state;
    sums s;
    fill(&s);
    attn_threads *threads = open_some(THREADS, NULL);
    assert_null(attn_threads_use(threads));
    assert_int_equal(attn_threads_in_use(), THREADS);
    attn_isa before = attn_cpu_limit(ATTN_ISA_AVX2);
    for (int i = 0; i < TIMES; i++)
        attn_share(add, &s);
    attn_cpu_limit(before);
    assert_ptr_equal(attn_threads_use(NULL), threads);
    attn_threads_close(threads);
    expect_sums(&s, TIMES);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(s.isa[i], ATTN_ISA_AVX2);
        for (size_t k = 0; k < i; k++)
            assert_false(pthread_equal(s.id[i], s.id[k]));
    }
    assert_true(pthread_equal(s.id[0], pthread_self()));
}

/* Longer apart than threads wait awake. */
static void test_sleeping(void **state) {
    (void)state;
    sums s;
    fill(&s);
    attn_threads *threads = open_some(THREADS, NULL);
    attn_threads_use(threads);
    for (int i = 0; i < 3; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        attn_share(add, &s);
    }
    attn_threads_use(NULL);
    attn_threads_close(threads);
    expect_sums(&s, 3);
}

static void test_one(void **state) {
    (void)state;
    sums s;
    fill(&s);
    assert_null(open_some(1, NULL));
    assert_int_equal(attn_threads_count(NULL), 1);
    attn_share(add, &s);
    assert_true(s.of_part[0] == COUNT * (COUNT + 1) / 2.0);
    assert_int_equal(s.parts[0], 1);
    attn_threads_close(NULL);
}

static void test_child(void **state) {
    (void)state;
    sums s;
    int status;
    fill(&s);
    attn_threads *threads = open_some(THREADS, NULL);
    attn_threads_use(threads);
    attn_share(add, &s);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        sums own;
        fill(&own);
        attn_share(add, &own);
        attn_threads_use(NULL);
        attn_threads_close(threads);
        for (size_t i = 0; i < THREADS; i++)
            if (own.of_part[i] != s.of_part[i] || own.runs[i] != 1 || own.parts[i] != THREADS)
                _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    attn_share(add, &s);
    attn_threads_use(NULL);
    attn_threads_close(threads);
    expect_sums(&s, 2);
}

static void find_cpu(void *context, size_t part, size_t parts) {
    (void)parts;
    if (part == 1)
        *(int *)context = sched_getcpu();
}

static void test_pinned(void **state) {
    (void)state;
    cpu_set_t allowed;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed))
            continue;
        int found = -1;
        attn_threads *threads = open_some(2, (const int[]){-1, cpu});
        attn_threads_use(threads);
        attn_share(find_cpu, &found);
        attn_threads_use(NULL);
        attn_threads_close(threads);
        assert_int_equal(found, cpu);
    }
}

static void test_refused(void **state) {
    (void)state;
    attn_error error = {0};
    attn_threads *threads;
    assert_int_equal(attn_threads_open(&threads, 0, NULL, &error), -1);
    assert_string_equal(error.message, "threads: found 0, expected 1 to 1024");
    error = (attn_error){0};
    assert_int_equal(attn_threads_open(&threads, 2, (const int[]){0, CPU_SETSIZE - 1}, &error), -1);
    assert_non_null(strstr(error.message, "threads: 2 of 2 cannot be started: "));
    assert_null(threads);
}

static void test_ranges(void **state) {
    (void)state;
    for (size_t count = 0; count < 70; count++)
        for (size_t unit = 1; unit < 20; unit++)
            for (size_t parts = 1; parts < 9; parts++) {
                size_t at = 0, most = 0, least = count;
                for (size_t part = 0; part < parts; part++) {
                    attn_range range = attn_part_range(count, unit, part, parts);
                    assert_int_equal(range.begin, at);
                    assert_true(range.end == count || range.end % unit == 0);
                    at = range.end;
                    most = range.end - range.begin > most ? range.end - range.begin : most;
                    least = range.end - range.begin < least ? range.end - range.begin : least;
                }
                assert_int_equal(at, count);
                assert_true(most <= least + 2 * unit);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),  cmocka_unit_test(test_sleeping), cmocka_unit_test(test_one),
        cmocka_unit_test(test_child),  cmocka_unit_test(test_pinned),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
