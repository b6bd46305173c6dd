#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/npy.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 4096 };

/* A file of the given version and dict, followed by `floats` numbers 0, 1, 2... */
static size_t build(char *out, int major, const char *dict, size_t floats) {
    size_t length = strlen(dict), at = 6;
    memcpy(out, "\x93NUMPY", 6);
    out[at++] = (char)major;
    out[at++] = 0;
    for (int i = 0; i < (major == 1 ? 2 : 4); i++)
        out[at++] = (char)(length >> 8 * i);
    memcpy(out + at, dict, length);
    at += length;
    for (size_t i = 0; i < floats; i++) {
        float value = (float)i;
        memcpy(out + at, &value, sizeof value);
        at += sizeof value;
    }
    return at;
}

static void test_versions(void **state) {
    (void)state;
    for (int major = 1; major <= 3; major++) {
        char bytes[ROOM];
        attn_array array;
        attn_error error = {0};
        size_t size =
            build(bytes, major, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n", 6);
        assert_int_equal(attn_npy_parse(&array, bytes, size, "X.npy", &error), 0);
        assert_int_equal(array.rank, 2);
        assert_int_equal(array.dims[0], 2);
        assert_int_equal(array.dims[1], 3);
        for (size_t i = 0; i < 6; i++)
            assert_true(array.data[i] == (float)i);
        attn_free(array.data);
    }
}

/* Any spelling of the dict that Python reads the same. */
static void test_spellings(void **state) {
    (void)state;
    static const char *const dicts[] = {
        "{\"shape\":(6,),\"descr\":\"<f4\",\"fortran_order\":False}",
        "{ 'fortran_order' : False , 'shape' : ( 6 , ) , 'descr' : '<f4' , } \n",
        "{'descr':'<f4','shape':(1,2,3,1),'fortran_order':False}",
        "{'descr':'<f4','shape':(3,2),'fortran_order':False}",
    };
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++) {
        char bytes[ROOM];
        attn_array array;
        attn_error error = {0};
        size_t size = build(bytes, 1, dicts[i], 6);
        assert_int_equal(attn_npy_parse(&array, bytes, size, "X.npy", &error), 0);
        assert_true(array.data[5] == 5.0f);
        attn_free(array.data);
    }
}

typedef struct bad_case {
    int major;
    const char *dict;
    size_t floats;
    const char *message;
} bad_case;

#define DICT(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

static const bad_case bad_cases[] = {
    {1, DICT("'<f8'", "False", "(6,)"), 6, "X.npy: dtype '<f8', expected '<f4'"},
    {1, DICT("'>f4'", "False", "(6,)"), 6, "X.npy: dtype '>f4', expected '<f4'"},
    {1, DICT("'|O'", "False", "(6,)"), 6, "X.npy: dtype '|O', expected '<f4'"},
    {1, DICT("[('a', '<f4')]", "False", "(6,)"), 6, "X.npy: structured dtype, expected '<f4'"},
    {1, DICT("4", "False", "(6,)"), 6, "'descr' in the npy header is not a string"},
    {1, DICT("'<f4'", "True", "(3, 2)"), 6, "X.npy: Fortran order, expected C order"},
    {1, DICT("'<f4'", "0", "(3, 2)"), 6, "neither True nor False"},
    {1, DICT("'<f4'", "False", "()"), 1, "0 axes"},
    {1, DICT("'<f4'", "False", "(1, 1, 1, 1, 6)"), 6, "more than 4 axes, expected 1 to 4"},
    {1, DICT("'<f4'", "False", "(0, 80)"), 0, "axis 0 has size 0, expected at least 1"},
    {1, DICT("'<f4'", "False", "(6)"), 6, "not a tuple"},
    {1, DICT("'<f4'", "False", "6"), 6, "not a tuple"},
    {1, DICT("'<f4'", "False", "(3 2)"), 6, "not a tuple of numbers"},
    {1, DICT("'<f4'", "False", "(,)"), 6, "axis 0 in the npy header is not a size"},
    {1, DICT("'<f4'", "False", "(-6,)"), 6, "axis 0 in the npy header is not a size"},
    {1, DICT("'<f4'", "False", "(6.0,)"), 6, "not a tuple of numbers"},
    {1, DICT("'<f4'", "False", "(06,)"), 6, "axis 0 in the npy header is not a size"},
    {1, DICT("'<f4'", "False", "(99999999999999999999,)"), 6, "axis 0 in the npy header is not a size"},
    {1, DICT("'<f4'", "False", "(4294967296, 4294967296)"), 6, "product of the npy shape overflows"},
    {1, DICT("'<f4'", "False", "(4611686018427387904,)"), 6, "product of the npy shape overflows"},
    {1, DICT("'<f4'", "False", "(7,)"), 6, "truncated ("},
    {1, DICT("'<f4'", "False", "(5,)"), 6, "trailing bytes ("},
    {1, "{'descr': '<f4', 'shape': (6,)}", 6, "no 'fortran_order'"},
    {1, "{'descr': '<f4', 'descr': '<f4', 'shape': (6,)}", 6, "key 'descr' twice"},
    {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': 1}", 6, "unknown key 'x'"},
    {1, "{'descr': '<f4' 'fortran_order': False, 'shape': (6,)}", 6, "damaged"},
    {1, DICT("'<f4'", "False", "(6,)") "x", 6, "damaged"},
    {1, "['descr']", 6, "not a dict"},
    {1, "", 6, "not a dict"},
    {4, DICT("'<f4'", "False", "(6,)"), 6, "npy version 4.0, expected 1.0, 2.0 or 3.0"},
};

static void test_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        const bad_case *c = &bad_cases[i];
        char bytes[ROOM];
        attn_array array = {.rank = 9};
        attn_error error = {0};
        size_t size = build(bytes, c->major, c->dict, c->floats);
        assert_int_equal(attn_npy_parse(&array, bytes, size, "X.npy", &error), -1);
        if (!strstr(error.message, c->message))
            fail_msg("'%s' does not say '%s'", error.message, c->message);
        assert_null(array.data);
        assert_int_equal(array.rank, 0);
    }
}

/* Cut anywhere, a file is refused; so is a huge header length. */
static void test_truncated(void **state) {
    (void)state;
    char bytes[ROOM];
    size_t size = build(bytes, 2, DICT("'<f4'", "False", "(6,)"), 6);
    for (size_t cut = 0; cut < size; cut++) {
        attn_array array;
        attn_error error = {0};
        char *exact = malloc(cut + 1); /* so that a read beyond the end is seen */
        memcpy(exact, bytes, cut);
        assert_int_equal(attn_npy_parse(&array, exact, cut, "X.npy", &error), -1);
        assert_non_null(strstr(error.message, "X.npy: "));
        free(exact);
    }
    attn_array array;
    attn_error error = {0};
    memset(bytes + 8, 0xff, 4);
    assert_int_equal(attn_npy_parse(&array, bytes, size, "X.npy", &error), -1);
    assert_non_null(strstr(error.message, "npy header of 4294967295 bytes"));
}

static void test_write(void **state) {
    (void)state;
    float data[24];
    for (size_t i = 0; i < 24; i++)
        data[i] = (float)i / 7;
    static const size_t shapes[4][4] = {{24}, {4, 6}, {2, 3, 4}, {2, 3, 1, 4}};
    for (size_t rank = 1; rank <= 4; rank++) {
        attn_array array;
        attn_error error = {0};
        const char *path = scratch_path("out.npy");
        assert_int_equal(attn_npy_write(path, data, rank, shapes[rank - 1], &error), 0);
        assert_int_equal(attn_npy_read(&array, path, &error), 0);
        assert_int_equal(array.rank, rank);
        for (size_t i = 0; i < rank; i++)
            assert_int_equal(array.dims[i], shapes[rank - 1][i]);
        assert_memory_equal(array.data, data, sizeof data);
        attn_free(array.data);

        FILE *stream = fopen(path, "rb");
        assert_non_null(stream);
        fseek(stream, 0, SEEK_END);
        assert_int_equal(ftell(stream), 128 + sizeof data);
        fclose(stream);
    }
}

static void test_write_refusals(void **state) {
    (void)state;
    float data[1] = {0};
    attn_error error = {0};
    const char *path = scratch_path("never.npy");
    assert_int_equal(attn_npy_write(path, data, 2, (size_t[]){1, 0}, &error), -1);
    assert_non_null(strstr(error.message, "axis 1 has size 0"));
    error = (attn_error){0};
    assert_int_equal(attn_npy_write(path, data, 2, (size_t[]){SIZE_MAX, 2}, &error), -1);
    assert_non_null(strstr(error.message, "overflows"));
    error = (attn_error){0};
    assert_int_equal(attn_npy_write(path, data, 5, (size_t[]){1, 1, 1, 1, 1}, &error), -1);
    assert_non_null(strstr(error.message, "5 axes"));
    error = (attn_error){0};
    assert_int_equal(attn_npy_write("/dev/full", data, 1, (size_t[]){1}, &error), -1);
    assert_non_null(strstr(error.message, "/dev/full: cannot be written"));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_paths(void **state) {
    (void)state;
    attn_array array;
    attn_error error = {0};
    assert_int_equal(attn_npy_read(&array, scratch_path("missing.npy"), &error), -1);
    assert_non_null(strstr(error.message, "missing.npy: cannot be read: No such file"));
    error = (attn_error){0};
    assert_int_equal(attn_npy_read(&array, "/tmp", &error), -1);
    assert_string_equal(error.message, "/tmp: not a regular file");
    error = (attn_error){0};
    assert_int_equal(attn_npy_read(&array, scratch_file("empty.npy", "", 0), &error), -1);
    assert_non_null(strstr(error.message, "not an npy file"));
}

/* A write that fails leaves nothing behind. */
static int read_and_write(void *context, attn_error *error) {
    static const float data[6] = {0};
    attn_array array = {0};
    size_t files = scratch_count();
    int result =
        attn_npy_read(&array, context, error) || attn_npy_write(context, data, 1, (size_t[]){6}, error) ? -1
                                                                                                        : 0;
    attn_free(array.data);
    assert_int_equal(scratch_count(), files);
    return result;
}

static void test_refused_memory(void **state) {
    (void)state;
    float data[6] = {1, 2, 3, 4, 5, 6};
    const char *path = scratch_path("memory.npy");
    attn_error error = {0};
    assert_int_equal(attn_npy_write(path, data, 1, (size_t[]){6}, &error), 0);
    assert_true(refuse_each_allocation(read_and_write, (char *)path) >= 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions), cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_bad),      cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_write),    cmocka_unit_test(test_write_refusals),
        cmocka_unit_test(test_paths),    cmocka_unit_test(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
