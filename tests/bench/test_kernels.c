/* Every kernel of impl/kernels/kernels.inc on every instruction set of this CPU, with every type of cache, on one to
 * three threads, against its plain reference. ATTN_TEST_SEED sets the seed; ATTN_TEST_DRAWS sets the number of shapes for
 * each kernel, instruction set and type. */
#include "attn/alloc.h"
#include "attn/config.h"
#include "attn/cpu.h"
#include "attn/element.h"
#include "attn/random.h"
#include "attn/threads.h"
#include "bench/kernel_setup.h"
#include "impl/kernels/attend.h"
#include "tests/support/cmocka_all.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed_of_run = 20260101;
static size_t draws = 200;

enum { MOST_THREADS = 3, WIDEST = 30 /* numbers from 1e-30 to 1e30 */ };
static attn_threads *threads[MOST_THREADS]; /* one fewer than there are in it */

/* Small sizes are as likely as large ones. */
static size_t some_size(size_t most, uint64_t *random) {
    size_t bound = most >> (2 * attn_random_below(random, 3));
    return 1 + attn_random_below(random, bound ? bound : 1);
}

static kernel_draw some_draw(const kernel_row *row, attn_element type, uint64_t *random) {
    kernel_draw d = {.type = type, .seed = attn_random_next(random)};
    for (size_t i = 0; i < KERNEL_SIZES; i++)
        d.size[i] = some_size(row->most[i], random);
    d.gap = attn_random_below(random, 3) ? attn_random_below(random, 9) : 0;
    d.flag = attn_random_below(random, 2);
    if (!attn_random_below(random, 3))
        d.magnitude = (int)attn_random_below(random, 2 * WIDEST + 1) - WIDEST;
    d.has_nan = !attn_random_below(random, 8);
    return d;
}

static void check(const kernel_row *row, const kernel_draw *d, bool *has_cache) {
    attn_error error = {0};
    char what[160];
    double error_found;
    kernel_setup s;
    attn_threads *some = threads[d->seed % MOST_THREADS];
    assert_int_equal(kernel_setup_init(&s, row, d, &error), 0);
    *has_cache = s.has_cache;
    kernel_setup_run(&s, true);
    attn_threads_use(some);
    for (attn_isa isa = ATTN_ISA_BASE; isa <= attn_cpu_detected(); isa++) {
        attn_isa before = attn_cpu_limit(isa);
        kernel_setup_run(&s, false);
        attn_cpu_limit(before);
        if (!kernel_setup_agrees(&s, &error_found, what, sizeof what))
            fail_msg("%s, %s, %s: m %zu n %zu k %zu p %zu gap %zu 10^%d%s%s, %zu threads: %s (seed %llu)",
                     row->name, attn_isa_names[isa], attn_kv_dtype_names[d->type], d->size[0], d->size[1],
                     d->size[2], d->size[3], d->gap, d->magnitude, d->flag ? " flag" : "",
                     d->has_nan ? " NaN" : "", attn_threads_count(some), what,
                     (unsigned long long)seed_of_run);
    }
    attn_threads_use(NULL);
    kernel_setup_free(&s);
}

static void kernels_agree_with_their_references(void **state) {
    (void)state;
    uint64_t random = seed_of_run;
    for (size_t i = 0; i < MOST_THREADS; i++)
        assert_int_equal(attn_threads_open(&threads[i], i + 1, NULL, NULL), 0);
    for (const kernel_row *row = kernel_rows; row->name; row++)
        for (attn_element type = ATTN_ELEMENT_F32; type <= ATTN_ELEMENT_Q8_0; type++) {
            bool has_cache = false;
            for (size_t i = 0; i < draws; i++) {
                kernel_draw d = some_draw(row, type, &random);
                check(row, &d, &has_cache);
            }
            if (!has_cache)
                break;
        }
    for (size_t i = 0; i < MOST_THREADS; i++)
        attn_threads_close(threads[i]);
    assert_int_equal(attn_alloc_live(), 0);
}

/* A check that cannot fail is none: a kernel that spoils one number is found. */
static void a_wrong_number_is_found(void **state) {
    (void)state;
    attn_error error = {0};
    char what[160];
    double error_found;
    kernel_setup s;
    kernel_draw d = {.size = {3, 5, 7, 2}, .seed = seed_of_run};
    for (const kernel_row *row = kernel_rows; row->name; row++)
        for (int how = 0; how < 2; how++) {
            assert_int_equal(kernel_setup_init(&s, row, &d, &error), 0);
            kernel_setup_run(&s, true);
            kernel_setup_run(&s, false);
            assert_true(kernel_setup_agrees(&s, &error_found, what, sizeof what));
            size_t o = 0;
            while (s.operand[o].role != KERNEL_OUT && s.operand[o].role != KERNEL_INOUT)
                o++;
            float *last = (float *)(void *)(s.operand[o].block[1] + s.operand[o].bytes) - 1;
            *last = how ? NAN : *last * 1.01f + 0.01f;
            assert_false(kernel_setup_agrees(&s, &error_found, what, sizeof what));
            kernel_setup_free(&s);
        }
}

static void refused_memory_is_an_error(void **state) {
    (void)state;
    kernel_draw d = {.size = {3, 5, 7, 2}, .seed = seed_of_run};
    for (const kernel_row *row = kernel_rows; row->name; row++)
        for (size_t nth = 1;; nth++) {
            attn_error error = {0};
            kernel_setup s;
            attn_alloc_fail_at(nth);
            int result = kernel_setup_init(&s, row, &d, &error);
            attn_alloc_fail_at(0);
            kernel_setup_free(&s);
            if (!result)
                break;
            assert_non_null(strstr(error.message, "out of memory"));
        }
    assert_int_equal(attn_alloc_live(), 0);
}

/* Distance in units of the last place of the exact value. */
static double ulps(float found, double exact) {
    int exponent;
    frexp(exact, &exponent);
    return fabs(found - exact) / ldexp(1.0, exponent - 24);
}

/* Every 1021st float from 0 down to where the result leaves the normal ones, and on. */
static void check_powers(attn_isa isa, const char *name, double (*exact_power)(double)) {
    enum { SOME = 4096 };
    static float x[SOME], y[SOME];
    double worst = 0.0;
    attn_isa before = attn_cpu_limit(isa);
    void (*power)(float *, size_t) =
        exact_power == exp ? attn_attend()->exp_nonpositive : attn_attend()->exp2_nonpositive;
    for (uint32_t bits = 0x80000000; bits < 0xff800000;) {
        size_t n = 0;
        for (; n < SOME && bits < 0xff800000; n++, bits += 1021)
            memcpy(&x[n], &bits, sizeof bits);
        memcpy(y, x, sizeof y);
        power(y, n);
        for (size_t i = 0; i < n; i++) {
            double exact = exact_power(x[i]);
            if (exact >= FLT_MIN * (1 + 1e-6))
                worst = ulps(y[i], exact) > worst ? ulps(y[i], exact) : worst;
            else
                assert_true(y[i] >= 0.0f && y[i] <= FLT_MIN * (1 + 1e-6f));
        }
    }
    float special[] = {NAN, -INFINITY, 0.0f, -0.0f};
    power(special, 4);
    attn_cpu_limit(before);
    printf("%s, %s: %.3f ulp\n", name, attn_isa_names[isa], worst);
    assert_true(worst <= 2.0);
    assert_true(special[0] != special[0]);
    assert_true(special[1] == 0.0f && special[2] == 1.0f && special[3] == 1.0f);
}

static void exponentials_are_within_2_ulp(void **state) {
    (void)state;
    for (attn_isa isa = ATTN_ISA_BASE; isa <= attn_cpu_detected(); isa++) {
        check_powers(isa, "exp", exp);
        check_powers(isa, "exp2", exp2);
    }
}

/* f16 and bf16 give back what they can hold, and round to nearest even. */
static void elements_round_to_nearest(void **state) {
    (void)state;
    for (attn_element type = ATTN_ELEMENT_F16; type <= ATTN_ELEMENT_BF16; type++)
        for (uint32_t bits = 0; bits < 0x10000; bits++) {
            uint16_t half = (uint16_t)bits, again, next;
            float value, after, middle;
            attn_element_load(&value, &half, 1, type);
            attn_element_store(&again, &value, 1, type);
            if (value != value) {
                attn_element_load(&after, &again, 1, type);
                assert_true(after != after);
                continue;
            }
            assert_int_equal(again, half);
            next = (uint16_t)(half + 1);
            attn_element_load(&after, &next, 1, type);
            if (!(fabsf(after) < INFINITY) || (half & 0x7fff) == 0x7fff)
                continue;
            middle = value / 2 + after / 2;
            attn_element_store(&again, &middle, 1, type);
            assert_int_equal(again, half & 1 ? next : half);
        }
}

/* The scale of a q8_0 block is the largest magnitude / 127 as f16, and no value is off by more than half of it,
 * plus what the rounding of the scale moves. */
static void q8_blocks_hold_their_values(void **state) {
    (void)state;
    uint64_t random = seed_of_run;
    for (size_t width = 1; width < 100; width++) {
        float x[100], y[100];
        attn_q8_block blocks[4];
        assert_int_equal(attn_element_row_bytes(ATTN_ELEMENT_Q8_0, width), (width + 31) / 32 * 34);
        attn_random_uniform(x, width, 3.0f, &random);
        attn_element_store(blocks, x, width, ATTN_ELEMENT_Q8_0);
        attn_element_load(y, blocks, width, ATTN_ELEMENT_Q8_0);
        for (size_t i = 0; i < width; i++) {
            float largest = 0.0f;
            for (size_t j = i / 32 * 32; j < width && j < i / 32 * 32 + 32; j++)
                largest = fabsf(x[j]) > largest ? fabsf(x[j]) : largest;
            assert_true(fabsf(x[i] - y[i]) <= largest / 127.0f * (0.5f + 127.0f / 2048.0f));
        }
    }
}

int main(void) {
    const char *seed = getenv("ATTN_TEST_SEED"), *count = getenv("ATTN_TEST_DRAWS");
    if (seed)
        seed_of_run = strtoull(seed, NULL, 10);
    if (count)
        draws = strtoull(count, NULL, 10);
    printf("seed %llu (ATTN_TEST_SEED)\n", (unsigned long long)seed_of_run);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponentials_are_within_2_ulp),       cmocka_unit_test(elements_round_to_nearest),
        cmocka_unit_test(q8_blocks_hold_their_values),         cmocka_unit_test(a_wrong_number_is_found),
        cmocka_unit_test(kernels_agree_with_their_references), cmocka_unit_test(refused_memory_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
