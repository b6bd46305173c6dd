/* Lines of files of the system, and its lists of numbers. */
#include "tests/support/cmocka_all.h"

#include "attn/file.h"
#include "base/process/system_file.h"
#include "tests/support/scratch.h"

#include <string.h>

static void expect_line(const char *content, const char *line, size_t size) {
    char found[16] = "before";
    attn_error error = {0};
    if (attn_write_file(scratch_path("online"), content, strlen(content), &error))
        fail_msg("%s", error.message);
    assert_int_equal(system_file_line(found, size, "%s", scratch_path("online")), *content != '\0');
    assert_string_equal(found, line);
}

static void test_line(void **state) {
    (void)state;
    expect_line("0-3,8\nmore\n", "0-3,8", 16);
    expect_line("no end", "no end", 16);
    expect_line("no room\n", "no ", 4);
    expect_line("\n", "", 16);
    expect_line("", "", 16);
}

static void test_no_file(void **state) {
    char line[16] = "before";
    (void)state;
    assert_false(system_file_line(line, sizeof line, "%s/%d", scratch_path("none"), 1));
    assert_string_equal(line, "");
    strcpy(line, "before");
    assert_false(system_file_line(line, sizeof line, "%600d", 1));
    assert_string_equal(line, "");
}

static void test_list(void **state) {
    static const long expected[][2] = {{0, 3}, {8, 8}, {10, 11}};
    const char *list = "0-3,8,10-11\n";
    long first, last;
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(system_list_next(&list, &first, &last));
        assert_int_equal(first, expected[i][0]);
        assert_int_equal(last, expected[i][1]);
    }
    assert_false(system_list_next(&list, &first, &last));
    list = "";
    assert_false(system_list_next(&list, &first, &last));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
