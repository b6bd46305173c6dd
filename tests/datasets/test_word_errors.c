/* Word and character errors, counted by hand, and the interval. */
#include "attn/random.h"
#include "datasets/word_errors.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdio.h>

static void expect(const char *reference, const char *hypothesis, word_errors e) {
    word_errors found;
    assert_int_equal(word_errors_count(&found, reference, hypothesis, NULL), 0);
    assert_int_equal(found.substitutions, e.substitutions);
    assert_int_equal(found.deletions, e.deletions);
    assert_int_equal(found.insertions, e.insertions);
    assert_int_equal(found.words, e.words);
}

static void test_words(void **state) {
    (void)state;
    expect("ONE TWO THREE", "ONE TWO THREE", (word_errors){0, 0, 0, 3});
    expect("ONE TWO THREE", "ONE THREE", (word_errors){0, 1, 0, 3});
    expect("ONE TWO THREE", "ONE TWO OH THREE", (word_errors){0, 0, 1, 3});
    expect("ONE TWO THREE", "ONE TOO THREE", (word_errors){1, 0, 0, 3});
    expect("ONE TWO THREE", "", (word_errors){0, 3, 0, 3});
    expect("", "ONE TWO", (word_errors){0, 0, 2, 0});
    expect("  ONE   TWO ", "ONE\tTWO\n", (word_errors){0, 0, 0, 2});
    expect("A B C D E", "B C X E F", (word_errors){1, 1, 1, 5});
    expect("ONE", "ONES", (word_errors){1, 0, 0, 1});
}

static void test_characters(void **state) {
    (void)state;
    word_errors e;
    character_errors_count(&e, "ONE  TWO", "ONE TO", NULL);
    assert_int_equal(e.words, 7);
    assert_int_equal(e.deletions, 1);
    assert_int_equal(word_errors_sum(&e), 1);
    character_errors_count(&e, "\u00dcBER", "UBER", NULL);
    assert_int_equal(e.words, 4);
    assert_int_equal(e.substitutions, 1);
    assert_int_equal(word_errors_sum(&e), 1);
}

/* Symmetric in all but names, at least the difference of lengths, at most the longer one. */
static void test_random_pairs(void **state) {
    (void)state;
    uint64_t random = 2;
    for (size_t draw = 0; draw < 300; draw++) {
        char a[64], b[64];
        size_t n = attn_random_below(&random, 12), m = attn_random_below(&random, 12), at = 0;
        for (size_t i = 0; i < n; i++)
            at += (size_t)snprintf(a + at, sizeof a - at, "%c ", "xyz"[attn_random_below(&random, 3)]);
        a[at] = '\0', at = 0;
        for (size_t i = 0; i < m; i++)
            at += (size_t)snprintf(b + at, sizeof b - at, "%c ", "xyz"[attn_random_below(&random, 3)]);
        b[at] = '\0';
        word_errors there, back;
        word_errors_count(&there, a, b, NULL);
        word_errors_count(&back, b, a, NULL);
        assert_int_equal(word_errors_sum(&there), word_errors_sum(&back));
        assert_true(n + there.insertions == m + there.deletions);
        assert_in_range(word_errors_sum(&there), n > m ? n - m : m - n, n > m ? n : m);
    }
}

static void test_percent_and_interval(void **state) {
    (void)state;
    enum { COUNT = 400 };
    word_errors utterances[COUNT], sum = {0};
    double interval[2], again[2];
    assert_true(isnan(word_errors_percent(&sum)));
    for (size_t i = 0; i < COUNT; i++) {
        utterances[i] = (word_errors){.substitutions = i % 4 == 0, .words = 5};
        word_errors_add(&sum, &utterances[i]);
    }
    assert_true(word_errors_percent(&sum) == 5);
    assert_int_equal(word_errors_interval(interval, utterances, COUNT, 1, NULL), 0);
    assert_int_equal(word_errors_interval(again, utterances, COUNT, 1, NULL), 0);
    assert_true(interval[0] == again[0] && interval[1] == again[1]);
    /* a quarter of 400 with an error in 5 words: the deviation of the rate is 0.433 points */
    assert_true(fabs(interval[0] - (5 - 1.96 * 0.433)) < 0.1 && fabs(interval[1] - (5 + 1.96 * 0.433)) < 0.1);
    assert_int_equal(word_errors_interval(interval, utterances, 0, 1, NULL), 0);
    assert_true(isnan(interval[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_characters),
                                       cmocka_unit_test(test_random_pairs),
                                       cmocka_unit_test(test_percent_and_interval)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
