/* JSON on streams and in files: a failure says whether memory or the disk was short. */
#include "tests/support/cmocka_all.h"

#include "base/text/json_write.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "tests/support/scratch.h"

#include <string.h>

static void prints_value_and_line_feed(void **state) {
    (void)state;
    attn_error error = {0};
    const char *path = scratch_path("printed.json");
    size_t size;
    json_t *value = json_pack("{si}", "a", 1);
    assert_int_equal(json_write_file(path, value, JSON_COMPACT, &error), 0);
    char *text = attn_read_file(path, 100, &size, &error);
    assert_non_null(text);
    assert_string_equal(text, "{\"a\":1}\n");
    attn_free(text);
    json_decref(value);
}

static void value_without_memory_is_no_file(void **state) {
    (void)state;
    attn_error error = {0};
    size_t before = scratch_count();
    assert_int_equal(json_write_file(scratch_path("none.json"), NULL, 0, &error), -1);
    assert_int_equal(error.code, ATTN_ERROR_MEMORY);
    assert_int_equal(scratch_count(), before);
    error = (attn_error){0};
    assert_int_equal(json_print(NULL, 0, "table", stderr, &error), -1);
    assert_int_equal(error.code, ATTN_ERROR_MEMORY);
}

static void full_disk_is_named(void **state) {
    (void)state;
    attn_error error = {0};
    FILE *full = fopen("/dev/full", "w");
    json_t *value = json_array();
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(json_print(value, 0, "table", full, &error), -1);
    assert_string_equal(error.message, "table cannot be written");
    error = (attn_error){0};
    assert_int_equal(json_write_file("/dev/full", value, 0, &error), -1);
    assert_non_null(strstr(error.message, "/dev/full: cannot be written: No space left"));
    fclose(full);
    json_decref(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(prints_value_and_line_feed),
                                       cmocka_unit_test(value_without_memory_is_no_file),
                                       cmocka_unit_test(full_disk_is_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
