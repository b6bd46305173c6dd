/* Units: made from transcripts, read and written, and text to numbers and back. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "datasets/units.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <string.h>

static const char *const texts[] = {"TWO SIX", "ONE  TWO\tONE", "\u00dcBER"};

static units make(units_kind kind) {
    units u;
    assert_int_equal(units_make(&u, kind, texts, 3, NULL), 0);
    return u;
}

static units parse(const char *text) {
    units u;
    attn_error error = {0};
    if (units_parse(&u, text, strlen(text), "units.txt", &error))
        fail_msg("%s", error.message);
    return u;
}

static void expect_tokens(const units *u, const char *const *tokens) {
    size_t count = 0;
    while (tokens[count])
        count++;
    assert_int_equal(u->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(u->tokens[i], tokens[i]);
        assert_int_equal(units_find(u, tokens[i]), i);
    }
    assert_int_equal(units_find(u, "Q"), -1);
}

static void test_make(void **state) {
    (void)state;
    units u = make(UNITS_CHARACTERS);
    expect_tokens(&u, (const char *const[]){"<blank>", "B", "E", "I", "N", "O", "R", "S", "T", "W", "X",
                                            "\u00dc", "\u2581", NULL});
    units_free(&u);
    u = make(UNITS_WORDS);
    expect_tokens(&u, (const char *const[]){"<blank>", "ONE", "SIX", "TWO", "\u00dcBER", NULL});
    units_free(&u);
    assert_int_equal(attn_alloc_live(), 0);
}

static void round_trip(const units *u, const char *text, const char *expected, size_t labels) {
    int32_t *numbers;
    size_t count;
    attn_error error = {0};
    if (units_encode(u, text, "id", &numbers, &count, &error))
        fail_msg("%s", error.message);
    assert_int_equal(count, labels);
    char *back = units_decode(u, numbers, count, NULL);
    assert_string_equal(back, expected);
    attn_free(back);
    attn_free(numbers);
}

static void test_round_trips(void **state) {
    (void)state;
    units u = make(UNITS_CHARACTERS);
    round_trip(&u, " TWO   SIX ", "TWO SIX", 7);
    round_trip(&u, "\u00dcBER", "\u00dcBER", 4);
    round_trip(&u, "", "", 0);
    units_free(&u);
    u = make(UNITS_WORDS);
    round_trip(&u, " TWO   SIX ", "TWO SIX", 2);
    units_free(&u);
    u = parse("<blank> 0\n<unk> 1\nE 2\nN 3\nO 4\n\u2581ON 5\n\u2581 6\nT 7\n");
    assert_int_equal(u.kind, UNITS_CHARACTERS);
    round_trip(&u, "ONE TO", "ONE TO", 5); /* _ON E _ T O */
    units_free(&u);
    u = parse("<blank> 0\r\n<space> 1\r\nA 2\r\nB 3\r\n");
    round_trip(&u, "AB BA", "AB BA", 5);
    units_free(&u);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_file(void **state) {
    (void)state;
    units u = make(UNITS_CHARACTERS), again;
    const char *path = scratch_path("units.txt");
    assert_int_equal(units_write(&u, path, NULL), 0);
    assert_int_equal(units_read(&again, path, NULL), 0);
    assert_int_equal(again.count, u.count);
    assert_int_equal(again.kind, u.kind);
    for (size_t i = 0; i < u.count; i++)
        assert_string_equal(again.tokens[i], u.tokens[i]);
    units_free(&u);
    units_free(&again);
}

static void refuse(const char *text, const char *message) {
    units u;
    attn_error error = {0};
    assert_int_equal(units_parse(&u, text, strlen(text), "units.txt", &error), -1);
    if (!strstr(error.message, message))
        fail_msg("'%s' does not say '%s'", error.message, message);
    assert_int_equal(attn_alloc_live(), 0);
}

static void test_bad_files(void **state) {
    (void)state;
    refuse("", "expected <blank> 0");
    refuse("<blank> 0\n", "at least one token");
    refuse("A 0\nB 1\n", "expected <blank> 0");
    refuse("<blank> 0\nA 2\n", "line 2: number 2, expected 1");
    refuse("<blank> 0\nA\n", "line 2: \"A\", expected a token and its number");
    refuse("<blank> 0\nA B 1\n", "expected a token without spaces");
    refuse("<blank> 0\nA 1\nA 2\n", "token A has the numbers 1 and 2");
}

static void test_unknown(void **state) {
    (void)state;
    attn_error error = {0};
    int32_t *labels;
    size_t count;
    units u = make(UNITS_CHARACTERS);
    assert_int_equal(units_encode(&u, "TWO Q", "7-3", &labels, &count, &error), -1);
    assert_non_null(strstr(error.message, "utterance 7-3: \"Q\" is not among the units"));
    units_free(&u);
    u = make(UNITS_WORDS);
    error = (attn_error){0};
    assert_int_equal(units_encode(&u, "TWO FOUR", "7-3", &labels, &count, &error), -1);
    assert_non_null(strstr(error.message, "the word \"FOUR\" is not among the units"));
    units_free(&u);
    assert_int_equal(attn_alloc_live(), 0);
}

static int make_and_free(void *context, attn_error *error) {
    (void)context;
    units u;
    int32_t *labels;
    size_t count;
    if (units_make(&u, UNITS_CHARACTERS, texts, 3, error))
        return -1;
    int result = units_encode(&u, texts[0], "id", &labels, &count, error);
    char *back = result ? NULL : units_decode(&u, labels, count, error);
    result = back ? 0 : -1;
    attn_free(back);
    attn_free(labels);
    units_free(&u);
    return result;
}

static void test_refused_memory(void **state) {
    (void)state;
    assert_true(refuse_each_allocation(make_and_free, NULL) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_make),    cmocka_unit_test(test_round_trips),
                                       cmocka_unit_test(test_file),    cmocka_unit_test(test_bad_files),
                                       cmocka_unit_test(test_unknown), cmocka_unit_test(test_refused_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
