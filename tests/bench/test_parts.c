/* Parts of a case: where the markers of attention stand in each way, and whose parts they are. */
#include "bench/kind.h"
#include "bench/parts/part_times.h"
#include "bench/row.h"
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"

#include <stdio.h>
#include <string.h>

typedef struct seen {
    char text[400]; /* names without "attention/", one after the other */
    int last;
    unsigned parts;
} seen;

static void note(void *context, int part) {
    seen *s = context;
    size_t used = strlen(s->text);
    const char *name = bench_part_name(part), *inner = strchr(name, '/');
    s->parts |= 1u << part;
    if (part == s->last)
        return;
    s->last = part;
    snprintf(s->text + used, sizeof s->text - used, "%s%s", used ? " " : "", inner ? inner + 1 : name);
}

static seen run_parts(const char *row, part_times *times) {
    seen s = {.last = BENCH_PARTS_END};
    attn_error error = {0};
    bench_case c;
    void *state = NULL;
    if (bench_case_parse(&c, row, &error) ||
        bench_kind_of(&c)->prepare(&state, &c, &(bench_settings){.seed = 1, .check_flops = 1}, &error))
        fail_msg("%s: %s", row, error.message);
    bench_kind_of(&c)->run_parts(state, note, &s);
    size_t used = strlen(s.text);
    bench_kind_of(&c)->run(state); /* nobody watches any more */
    assert_int_equal(strlen(s.text), used);
    if (times)
        part_times_take(times, bench_kind_of(&c), state, NULL);
    bench_kind_of(&c)->release(state);
    assert_int_equal(attn_alloc_live(), 0);
    return s;
}

#define SIZE "/h:2/d:16"
#define OURS "projections cache_write projections cache_write "

static void test_order(void **state) {
    (void)state;
    static const struct {
        const char *row, *parts;
    } rows[] = {
        {"attention/mha/decode/L:9" SIZE, "rest " OURS "projections core projections"},
        {"attention/gqa/decode/L:9/pos:rel_pos" SIZE, "rest " OURS "projections positions core projections"},
        {"attention/mha/decode/L:9/impl:blas" SIZE,
         "rest " OURS "projections scores softmax values scores softmax "
         "values projections"},
        {"attention/mla/decode/L:9/dc:8/path:absorb" SIZE,
         "rest projections cache_write projections latent_maps core latent_maps projections"},
        {"attention/mla_simple/decode/L:9/dc:8/path:expand" SIZE,
         "rest projections cache_write latent_maps projections core projections"},
        {"attention/mla/decode/L:9/dc:8/path:absorb/impl:blas" SIZE,
         "rest projections cache_write projections latent_maps scores softmax values latent_maps "
         "projections"},
        {"attention/linear/decode/L:9" SIZE, "rest projections core projections core projections"},
        {"attention/mha/decode/L:9/impl:scalar" SIZE, "attention"}, /* one row after the other: no parts */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        seen s = run_parts(rows[i].row, NULL);
        if (strcmp(s.text, rows[i].parts))
            fail_msg("%s: %s, expected %s", rows[i].row, s.text, rows[i].parts);
    }
}

/* In a model the parts of attention stand between the others, and the model's own mark of attention is its rest. */
static void test_encoder(void **state) {
    (void)state;
    seen s = run_parts("encoder/conformer/mha/prefill/T:40/layers:1/k:3/input:linear" SIZE, NULL);
    const char *attention = strstr(s.text, "rest " OURS);
    assert_non_null(attention);
    assert_non_null(strstr(attention, "projections rest convolution"));
    assert_false(s.parts & 1u << ATTN_PART_ATTENTION);
    for (int p = 0; p < BENCH_PARTS; p++)
        assert_int_equal(bench_part_outer(p), p < ATTN_PARTS ? p : ATTN_PART_ATTENTION);
}

static void count(void *to, const char *name, double value) {
    size_t *numbers = to;
    assert_true(!strncmp(name, "part_attention/", 15) && value >= 0);
    ++*numbers;
}

static void test_times(void **state) {
    (void)state;
    part_times times = {0};
    size_t numbers = 0;
    part_times_emit(&times, count, &numbers);
    assert_int_equal(numbers, 0);
    run_parts("attention/mha/decode/L:9" SIZE, &times);
    assert_true(times.seconds[ATTN_PARTS + ATTN_INNER_CORE] > 0);
    assert_true(times.seconds[ATTN_PARTS + ATTN_INNER_SCORES] == 0);
    part_times_emit(&times, count, &numbers);
    assert_int_equal(numbers, ATTN_INNER_PARTS);
    times = (part_times){0};
    numbers = 0;
    run_parts("attention/mha/decode/L:9/impl:scalar" SIZE, &times); /* has its time, and no part of it */
    assert_true(times.seconds[ATTN_PART_ATTENTION] > 0);
    part_times_emit(&times, count, &numbers);
    assert_int_equal(numbers, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_encoder),
                                       cmocka_unit_test(test_times)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
