/* Text made piece by piece, members of JSON objects, YAML with anchors. */
#include "tests/support/cmocka_all.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "base/text/table.h"
#include "base/text/yaml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void test_append(void **state) {
    (void)state;
    char text[16] = "";
    text_append(text, sizeof text, "%d", 12);
    text_append(text, sizeof text, "-%s", "ab");
    assert_string_equal(text, "12-ab");
    text_append(text, sizeof text, "%s", "0123456789abcdef");
    assert_string_equal(text, "12-ab0123456789");
    text_append(text, sizeof text, "more");
    assert_string_equal(text, "12-ab0123456789");
}

static void test_list(void **state) {
    (void)state;
    char text[12] = "";
    for (int i = 1; i < 9; i++)
        text_list(text, sizeof text, ", ", "%d", i);
    assert_string_equal(text, "1, 2, 3, 4,");
}

/* A buffer without a NUL, and one of no bytes, are left alone. */
static void test_append_to_what_is_full(void **state) {
    (void)state;
    char full[4] = {'a', 'b', 'c', 'd'}, none = 'z';
    text_append(full, sizeof full, "e");
    assert_memory_equal(full, "abcd", 4);
    text_append(&none, 0, "e");
    assert_int_equal(none, 'z');
}

static void test_members(void **state) {
    (void)state;
    json_t *o = json_pack("{ss si sn s{s{sf}}}", "t", "text", "n", 3, "null", "a", "b", "c", 0.5);
    assert_string_equal(json_text(o, "t"), "text");
    assert_string_equal(json_text(o, "n"), "");
    assert_string_equal(json_text(NULL, "t"), "");
    assert_true(json_number(o, "n") - 3 == 0);
    assert_true(isnan(json_number(o, "t")) && isnan(json_number(o, "null")) && isnan(json_number(NULL, "n")));
    assert_true(json_number_value(json_at(o, "a.b.c")) - 0.5 == 0);
    assert_true(json_at(o, "") == o);
    assert_null(json_at(o, "a.x.c"));
    assert_null(json_at(o, "t.x"));
    json_decref(o);
}

static void test_finite(void **state) {
    (void)state;
    const double values[] = {NAN, INFINITY, -INFINITY, 1.5};
    for (size_t i = 0; i < 4; i++) {
        json_t *value = json_finite(values[i]);
        assert_int_equal(json_is_null(value), i < 3);
        json_decref(value);
    }
}

static void test_not_made(void **state) {
    (void)state;
    attn_error error = {0};
    assert_int_equal(json_not_made(&error, "report", "a path"), -1);
    assert_int_equal(error.code, ATTN_ERROR_MEMORY);
    assert_string_equal(error.message, "report: out of memory, or a path that is not UTF-8");
}

static int parse(yaml_file *file, const char *text, attn_error *error) {
    return yaml_file_parse(file, text, strlen(text), "F", error);
}

static void test_anchors(void **state) {
    (void)state;
    attn_error error = {0};
    yaml_file file;
    assert_int_equal(parse(&file, "a: &x [1, 2]\nb: *x\nc: &x 3\nd: [*x, 4]\n", &error), 0);
    yaml_node_t *b = yaml_find(&file, file.root, "b"), *d = yaml_find(&file, file.root, "d");
    assert_int_equal(yaml_count(b), 2);
    assert_string_equal(yaml_text(&file, yaml_item(&file, b, 1), "b", &error), "2");
    assert_string_equal(yaml_text(&file, yaml_item(&file, d, 0), "d", &error), "3"); /* the newest */
    yaml_file_free(&file);
    assert_int_equal(parse(&file, "a: 1\nb: *y\n", &error), -1);
    assert_string_equal(error.message, "F:2: found an alias without its anchor");
}

static void test_troubles(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "F:1: found nothing, expected a map of keys"},
        {"- 1\n", "F:1: found no keys, expected a map of keys"},
        {"a: 1\n---\nb: 2\n", "F:2: found a second document, expected one"},
        {"a: [1\n", "F:2: not valid YAML: did not find expected ',' or ']'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        attn_error error = {0};
        yaml_file file;
        assert_int_equal(parse(&file, cases[i].text, &error), -1);
        assert_string_equal(error.message, cases[i].message);
    }
    char deep[200] = "a: ";
    memset(deep + 3, '[', 100);
    attn_error error = {0};
    yaml_file file;
    assert_int_equal(parse(&file, deep, &error), -1);
    assert_non_null(strstr(error.message, "too deep"));
}

/* What stands before the trouble can be read, and is known to be cut. */
static void test_as_far_as_it_goes(void **state) {
    (void)state;
    static const char text[] = "a: 1\nb: [2, 3, !t 4]\n";
    yaml_file file;
    attn_error error = {0};
    yaml_file_read(&file, text, sizeof text - 1, "F", true);
    assert_string_equal(file.trouble.message, "F:2: found a tag, expected plain keys and values");
    yaml_node_t *b = yaml_find(&file, file.root, "b");
    assert_string_equal(yaml_text(&file, yaml_find(&file, file.root, "a"), "a", &error), "1");
    assert_int_equal(yaml_count(b), 2);
    assert_true(yaml_is_open(&file, b));
    assert_false(yaml_is_open(&file, file.root));
    yaml_file_free(&file);
    yaml_file_read(&file, "a: *x\n", 6, "F", true);
    assert_null(yaml_value(&file, file.root->data.mapping.pairs.start));
    yaml_file_free(&file);
}

/* A text that stands in an earlier row too is named by that row; others, and none, stay. */
static void test_say_once(void **state) {
    (void)state;
    static const char *const said[] = {"x", "x", NULL, "y", "x", "y"};
    static const char *const shown[] = {"x", "as a", NULL, "y", "as a", "as d"};
    static const table_column columns[] = {{"name", "name", NULL}, {"why", "why", NULL}, {0}};
    text_table t;
    table_init(&t, "t", columns);
    for (int i = 0; i < 6; i++)
        table_add(&t, json_pack("{so ss*}", "name", json_sprintf("%c", 'a' + i), "why", said[i]));
    table_say_once(&t, "why", "name");
    for (size_t i = 0; i < 6; i++) {
        const char *text = json_string_value(json_object_get(json_array_get(t.rows, i), "why"));
        assert_int_equal(text != NULL, shown[i] != NULL);
        assert_true(!text || !strcmp(text, shown[i]));
    }
    table_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_append_to_what_is_full),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_finite),
        cmocka_unit_test(test_not_made),
        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_troubles),
        cmocka_unit_test(test_as_far_as_it_goes),
        cmocka_unit_test(test_say_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
