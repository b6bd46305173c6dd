/* Errors: the first wins, with its code; messages are one line. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/error.h"

#include <string.h>

static void test_codes(void **state) {
    (void)state;
    attn_error error = {0};
    assert_int_equal(error.code, ATTN_ERROR_NONE);
    assert_int_equal(attn_fail(&error, "first %d", 1), -1);
    assert_int_equal(error.code, ATTN_ERROR_INPUT);
    assert_int_equal(attn_no_memory(&error, "late"), -1);
    assert_int_equal(error.code, ATTN_ERROR_INPUT);
    assert_string_equal(error.message, "first 1");
    error = (attn_error){0};
    assert_int_equal(attn_fail_as(&error, ATTN_ERROR_UNSUPPORTED, "no %s", "AVX-512"), -1);
    assert_int_equal(error.code, ATTN_ERROR_UNSUPPORTED);
    assert_string_equal(error.message, "no AVX-512");
    assert_int_equal(attn_fail_as(NULL, ATTN_ERROR_STOPPED, "nobody asks"), -1);
}

static void test_no_memory(void **state) {
    (void)state;
    attn_error named = {0}, plain = {0}, block = {0};
    attn_no_memory(&named, "weights");
    attn_no_memory(&plain, NULL);
    assert_string_equal(named.message, "weights: out of memory");
    assert_string_equal(plain.message, "out of memory");
    attn_alloc_fail_at(1);
    assert_null(attn_alloc(3, 4, "block", &block));
    attn_alloc_fail_at(0);
    assert_int_equal(block.code, ATTN_ERROR_MEMORY);
    assert_string_equal(block.message, "block: out of memory (12 bytes)");
}

static void test_one_line(void **state) {
    (void)state;
    attn_error error = {0};
    char longer[1000];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    attn_fail(&error, "a\nb\033[31m%s", longer);
    assert_memory_equal(error.message, "a b [31mx", 9);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    error = (attn_error){0};
    attn_fail(&error, "%s", ""); /* without words it is an error all the same */
    assert_int_equal(error.code, ATTN_ERROR_INPUT);
    attn_fail(&error, "later");
    assert_string_equal(error.message, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
