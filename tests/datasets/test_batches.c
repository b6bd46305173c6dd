/* Batches: every utterance once, within limits, by length; the same for the same seed. */
#include "attn/alloc.h"
#include "attn/random.h"
#include "datasets/batches.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

enum { COUNT = 500 };
static size_t lengths[COUNT];

static void draw(void) {
    uint64_t random = 1;
    for (size_t i = 0; i < COUNT; i++)
        lengths[i] = 50 + attn_random_below(&random, 400);
}

static size_t check(const batches *b, const batch_limits *limits) {
    size_t seen[COUNT] = {0}, padding = 0;
    assert_int_equal(b->start[0], 0);
    assert_int_equal(b->start[b->count], COUNT);
    for (size_t i = 0; i < b->count; i++) {
        size_t longest = 0, held = b->start[i + 1] - b->start[i];
        assert_true(held > 0);
        for (size_t k = b->start[i]; k < b->start[i + 1]; k++) {
            size_t length = lengths[b->utterances[k]];
            seen[b->utterances[k]]++;
            longest = length > longest ? length : longest;
        }
        assert_true(held == 1 || held * longest <= limits->frames);
        assert_true(!limits->utterances || held <= limits->utterances);
        for (size_t k = b->start[i]; k < b->start[i + 1]; k++)
            padding += longest - lengths[b->utterances[k]];
    }
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(seen[i], 1);
    return padding;
}

static void test_batches(void **state) {
    (void)state;
    draw();
    batch_limits limits = {2000, 0};
    batches plain, first, same, other;
    assert_int_equal(batches_make(&plain, lengths, COUNT, &limits, 0, 1, NULL), 0);
    assert_int_equal(batches_make(&first, lengths, COUNT, &limits, 1, 1, NULL), 0);
    assert_int_equal(batches_make(&same, lengths, COUNT, &limits, 1, 1, NULL), 0);
    assert_int_equal(batches_make(&other, lengths, COUNT, &limits, 1, 2, NULL), 0);
    size_t sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += lengths[i];
    assert_true(check(&plain, &limits) < sum / 50);
    assert_true(check(&first, &limits) < sum / 10);
    check(&other, &limits);
    assert_memory_equal(first.utterances, same.utterances, COUNT * sizeof *first.utterances);
    assert_memory_not_equal(first.utterances, other.utterances, COUNT * sizeof *first.utterances);
    for (size_t i = 1; i < COUNT; i++)
        assert_true(lengths[plain.utterances[i]] >= lengths[plain.utterances[i - 1]]);
    batches_free(&plain);
    batches_free(&first);
    batches_free(&same);
    batches_free(&other);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_limits(void **state) {
    (void)state;
    draw();
    lengths[3] = 5000; /* longer than a batch: alone */
    batch_limits limits = {1000, 3};
    batches b;
    assert_int_equal(batches_make(&b, lengths, COUNT, &limits, 1, 9, NULL), 0);
    check(&b, &limits);
    batches_free(&b);
    assert_int_equal(batches_make(&b, lengths, 0, &limits, 1, 9, NULL), 0);
    assert_int_equal(b.count, 0);
    batches_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_batches), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
