/* A long list in JSON, read element by element. */
#include "tests/support/cmocka_all.h"

#include "base/text/json_list.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct seen {
    json_t *elements;
    size_t members_before;
    int stop_at;
} seen;

static int take(void *context, const json_t *before, json_t *element, attn_error *error) {
    seen *s = context;
    json_array_append_new(s->elements, element);
    s->members_before = json_object_size(before);
    return (int)json_array_size(s->elements) == s->stop_at ? attn_fail(error, "enough") : 0;
}

static const char *const without[] = {"big", "other", NULL};

static json_t *read_text(seen *s, const char *text, size_t size, bool all, attn_error *error) {
    *s = (seen){.elements = json_array()};
    return json_read_list(text, size, "F.json", "list", all ? NULL : without, take, s, error);
}

static void expect_elements(const char *text, const char *elements, bool all) {
    seen s;
    attn_error error = {0};
    json_t *object = read_text(&s, text, strlen(text), all, &error), *wanted = json_loads(elements, 0, NULL);
    assert_non_null(wanted);
    if (!object || !json_equal(s.elements, wanted))
        fail_msg("%s: %s: %s", text, error.message, json_dumps(s.elements, 0));
    assert_int_equal(json_array_size(json_object_get(object, "list")), 0);
    json_decref(object);
    json_decref(s.elements);
    json_decref(wanted);
}

static void elements_come_one_by_one(void **state) {
    (void)state;
    for (int all = 0; all < 2; all++) {
        expect_elements("{\"a\": 1, \"list\": [ ], \"b\": {}}", "[]", all);
        expect_elements(" { \"list\" : [{\"x\": [1, {\"y\": \"}\"}]} , {} , 7,\n\"s\", [2]] } \n",
                        "[{\"x\": [1, {\"y\": \"}\"}]}, {}, 7, \"s\", [2]]", all);
        expect_elements("{\"list\": [{\"a\\\"b\\\\\": \"\\u00e9]\", \"c\": null}]}",
                        "[{\"a\\\"b\\\\\": \"\\u00e9]\", \"c\": null}]", all);
    }
    expect_elements("{}", "[]", true);
}

static void members_that_are_not_wanted_are_passed_over(void **state) {
    (void)state;
    expect_elements("{\"list\": [{\"big\": {\"x\": [\"]\", 1]}, \"y\": 1},"
                    "{\"y\" : 2 , \"other\":\"\\\\\\\"\" , \"z\": {\"big\": 3}},"
                    "{\"big\": 1}, {\"y\": 4, \"big\": [{}]}]}",
                    "[{\"y\": 1}, {\"y\": 2, \"z\": {\"big\": 3}}, {}, {\"y\": 4}]", false);
}

static void what_comes_before_the_list_is_there(void **state) {
    (void)state;
    seen s;
    attn_error error = {0};
    static const char text[] = "{\"a\": 1, \"b\": 2, \"list\": [0], \"c\": 3}";
    json_t *object = read_text(&s, text, sizeof text - 1, true, &error);
    assert_int_equal(s.members_before, 2);
    assert_int_equal(json_object_size(object), 4);
    json_decref(object);
    json_decref(s.elements);
}

static void the_reader_may_stop(void **state) {
    (void)state;
    seen s = {.elements = json_array(), .stop_at = 2};
    attn_error error = {0};
    static const char text[] = "{\"list\": [0, 1, 2]}";
    assert_null(json_read_list(text, sizeof text - 1, "F.json", "list", NULL, take, &s, &error));
    assert_string_equal(error.message, "enough");
    json_decref(s.elements);
}

static void expect_fault(const char *text, size_t size, bool all, const char *start) {
    seen s;
    attn_error error = {0};
    json_t *object = read_text(&s, text, size, all, &error);
    if (object || strncmp(error.message, start, strlen(start)))
        fail_msg("%.*s: \"%s\", expected %s", (int)size, text, object ? "taken" : error.message, start);
    json_decref(s.elements);
}

static void a_text_that_is_cut_is_refused_wherever(void **state) {
    (void)state;
    static const char text[] =
        "{\"a\": \"x\", \"list\": [{\"big\": [1], \"y\": {\"z\": 1.5}}, {\"y\": 2}], \"b\": [3]}";
    for (int all = 0; all < 2; all++)
        for (size_t size = 0; size < sizeof text - 1; size++)
            expect_fault(text, size, all, "F.json:1: not JSON, or cut short: ");
}

static void faults_have_their_line(void **state) {
    (void)state;
    static const char *const lines[][2] = {
        {"{\"list\": [1,\n2,\n]}", "F.json:3: "},
        {"{\"list\": [1\n2]}", "F.json:2: "},
        {"{\"list\": [1],\n}", "F.json:2: "},
        {"{\"list\": [{\"y\": 1},\n{\"y\":\nNaN}]}", "F.json:3: "},
        {"{\"list\": [{\"y\": 1, \"y\": 2}]}", "F.json:1: "},
        {"{\"list\": [{\"y\": 1,}]}", "F.json:1: "},
        {"{\"list\": [{\"y\": 1 \"z\": 2}]}", "F.json:1: "},
        {"{\"list\": [],\n\"list\": []}", "F.json:2: "},
        {"{\"list\": []} x", "F.json:1: "},
        {"{\"a\" 1}", "F.json:1: "},
        {"{a: 1}", "F.json:1: "},
        {"[1] 2", "F.json:1: "},
        {"", "F.json:1: "},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        for (int all = 0; all < 2; all++)
            expect_fault(lines[i][0], strlen(lines[i][0]), all, lines[i][1]);
}

static void another_value_comes_whole(void **state) {
    (void)state;
    seen s;
    attn_error error = {0};
    json_t *value = read_text(&s, "[1, 2]", 6, true, &error);
    assert_int_equal(json_array_size(value), 2);
    json_decref(value);
    json_decref(s.elements);
}

static int drop(void *context, const json_t *before, json_t *element, attn_error *error) {
    (void)context, (void)before, (void)error;
    json_decref(element);
    return 0;
}

static size_t refuse_in;

static void *refusing(size_t size) {
    return --refuse_in ? malloc(size) : NULL;
}

/* Refused in the middle of a text, jansson may report that the text is wrong. Where it gives no reason, the message is
 * that memory was short, and does not end after a colon. */
static void memory_that_is_refused_is_called_so(void **state) {
    (void)state;
    static const char text[] = "{\"a\": 1, \"list\": [{\"x\": [\"s\", 2]}], \"b\": {\"c\": 3}}";
    json_t *object = NULL;
    size_t nth = 0, known = 0;
    while (!object) {
        attn_error error = {0};
        refuse_in = ++nth;
        json_set_alloc_funcs(refusing, free);
        object = json_read_list(text, sizeof text - 1, "F.json", "list", NULL, drop, NULL, &error);
        json_set_alloc_funcs(malloc, free);
        if (object)
            continue;
        known += !strcmp(error.message, "F.json: out of memory");
        assert_true(error.message[strlen(error.message) - 1] != ' ');
    }
    assert_in_range(known, 10, nth);
    json_decref(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_is_refused_is_called_so),
        cmocka_unit_test(elements_come_one_by_one),
        cmocka_unit_test(members_that_are_not_wanted_are_passed_over),
        cmocka_unit_test(what_comes_before_the_list_is_there),
        cmocka_unit_test(the_reader_may_stop),
        cmocka_unit_test(a_text_that_is_cut_is_refused_wherever),
        cmocka_unit_test(faults_have_their_line),
        cmocka_unit_test(another_value_comes_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
