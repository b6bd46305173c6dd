#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"
#include "attn/safetensors.h"
#include "tests/support/refusals.h"
#include "tests/support/scratch.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 8192 };

static size_t build(unsigned char *out, const char *header, size_t data) {
    uint64_t length = strlen(header);
    memcpy(out, &length, 8);
    memcpy(out + 8, header, length);
    for (size_t i = 0; i < data; i++)
        out[8 + length + i] = (unsigned char)(i * 37 + 1);
    return 8 + length + data;
}

/* ---- Reading */

static void test_read(void **state) {
    (void)state;
    /* F32 data at an odd address, tensors out of file order, an empty one, and types that are only listed. */
    const char *header = "{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[9,17]},"
                         "\"__metadata__\":{\"format\":\"pt\"},"
                         "\"a\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                         "\"flag\":{\"dtype\":\"BOOL\",\"shape\":[1,1],\"data_offsets\":[8,9]},"
                         "\"none\":{\"dtype\":\"F16\",\"shape\":[3,0],\"data_offsets\":[9,9]}}   ";
    unsigned char bytes[ROOM];
    size_t size = build(bytes, header, 17);
    float values[2] = {1.5f, -2.25f}, out[2];
    memcpy(bytes + size - 8, values, 8);
    attn_safetensors *file;
    attn_error error = {0};
    assert_int_equal(attn_safetensors_parse(&file, bytes, size, "W", &error), 0);
    assert_int_equal(attn_safetensors_count(file), 4);
    static const char *const order[] = {"a", "flag", "none", "b"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(attn_safetensors_at(file, i)->name, order[i]);
    const attn_safetensor *b = attn_safetensors_find(file, "b");
    assert_non_null(b);
    assert_int_equal(b->dtype, ATTN_F32);
    assert_int_equal(b->rank, 1);
    assert_int_equal(b->count, 2);
    attn_safetensor_floats(b, out);
    assert_memory_equal(out, values, sizeof values);
    assert_int_equal(attn_safetensors_find(file, "a")->dtype, ATTN_OTHER);
    assert_int_equal(attn_safetensors_find(file, "a")->rank, 0);
    assert_int_equal(attn_safetensors_find(file, "a")->count, 1);
    assert_int_equal(attn_safetensors_find(file, "none")->count, 0);
    attn_safetensor_floats(attn_safetensors_find(file, "none"), NULL);
    assert_null(attn_safetensors_find(file, "__metadata__"));
    assert_null(attn_safetensors_find(file, "c"));
    attn_safetensors_close(file);

    size = build(bytes, "{}", 0);
    assert_int_equal(attn_safetensors_parse(&file, bytes, size, "W", &error), 0);
    assert_null(attn_safetensors_find(file, "a"));
    attn_safetensors_close(file);
    attn_safetensors_close(NULL);
}

/* The value of a binary16 by its definition. */
static float half_value(unsigned bits) {
    unsigned exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
    double magnitude = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, (int)exponent - 25);
    if (exponent == 31)
        magnitude = fraction ? (double)NAN : (double)INFINITY;
    return (float)copysign(magnitude, bits & 0x8000 ? -1.0 : 1.0);
}

static void test_every_half(void **state) {
    (void)state;
    static unsigned char bytes[1 + 2 * 65536]; /* at an odd address, as in files */
    float *out = calloc(65536, sizeof *out);
    for (unsigned i = 0; i < 65536; i++)
        memcpy(bytes + 1 + 2 * i, &(uint16_t){(uint16_t)i}, 2);
    attn_safetensor t = {.dtype = ATTN_F16, .count = 65536, .data = bytes + 1};
    attn_safetensor_floats(&t, out);
    for (unsigned i = 0; i < 65536; i++) {
        float expected = half_value(i);
        assert_int_equal(signbit(out[i]) != 0, i >> 15);
        assert_true(isnan(expected) ? isnan(out[i]) : out[i] == expected);
    }
    t.dtype = ATTN_BF16;
    attn_safetensor_floats(&t, out);
    for (unsigned i = 0; i < 65536; i++) {
        uint32_t found;
        memcpy(&found, &out[i], 4);
        assert_int_equal(found, i << 16);
    }
    free(out);
}

/* ---- What is refused */

typedef struct bad_case {
    const char *header;
    size_t data;
    const char *message;
} bad_case;

#define ENTRY(name, dtype, shape, offsets)                                                                   \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const bad_case bad_cases[] = {
    {"", 0, "not a safetensors file"},
    {"[]", 0, "not a JSON object"},
    {" {}", 0, "not a JSON object"},
    {"{", 0, "not a safetensors file"},
    {"{}x", 0, "header is not valid JSON"},
    {"{} ", 4, "trailing bytes (4 bytes of data, expected 0)"},
    {"{\"a\":1}", 0, "tensor 'a': its header entry is not an object"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor 'a': no 'dtype' text"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor 'a': no 'shape' list"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "'data_offsets' is not a pair of sizes"},
    {"{" ENTRY("a", "F31", "[1]", "[0,4]") "}", 4, "tensor 'a': unknown dtype 'F31'"},
    {"{" ENTRY("a", "F32", "[-1]", "[0,4]") "}", 4, "axis 0 of 'shape' is not a size"},
    {"{" ENTRY("a", "F32", "[1,1.0]", "[0,4]") "}", 4, "axis 1 of 'shape' is not a size"},
    {"{" ENTRY("a", "F32", "[true]", "[0,4]") "}", 4, "axis 0 of 'shape' is not a size"},
    {"{" ENTRY("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "9 axes, expected at most 8"},
    {"{" ENTRY("a", "F32", "[4294967296,4294967296]", "[0,4]") "}", 4, "product of 'shape' overflows"},
    {"{" ENTRY("a", "F32", "[4611686018427387904]", "[0,4]") "}", 4, "product of 'shape' overflows"},
    {"{" ENTRY("a", "F32", "[99999999999999999999]", "[0,4]") "}", 4, "header is not valid JSON"},
    {"{" ENTRY("a", "F32", "[1]", "[4,0]") "}", 4, "data_offsets [4, 0], expected begin <= end"},
    {"{" ENTRY("a", "F32", "[1]", "[0,8]") "}", 4, "reach outside the 4 bytes of data"},
    {"{" ENTRY("a", "F32", "[1]", "[0]") "}", 4, "'data_offsets' is not a pair"},
    {"{" ENTRY("a", "F32", "[1]", "[0,4,4]") "}", 4, "'data_offsets' is not a pair"},
    {"{" ENTRY("a", "F32", "[2]", "[0,4]") "}", 4, "data_offsets hold 4 bytes, expected 8"},
    {"{" ENTRY("a", "F4", "[3]", "[0,1]") "}", 1, "3 values of 4 bits (F4) are no whole number of bytes"},
    {"{" ENTRY("a", "F32", "[1]", "[4,8]") "}", 8, "begin at 4, expected 0 (hole)"},
    {"{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("b", "F32", "[1]", "[8,12]") "}", 12,
     "tensor 'b': its bytes begin at 8, expected 4 (hole)"},
    {"{" ENTRY("a", "F32", "[2]", "[0,8]") "," ENTRY("b", "F32", "[1]", "[4,8]") "}", 8,
     "tensor 'b': its bytes begin at 4, expected 8 (overlap)"},
    {"{" ENTRY("a", "F32", "[2]", "[0,8]") "," ENTRY("b", "F32", "[0]", "[4,4]") "}", 8,
     "tensor 'b': its bytes begin at 4, expected 8 (overlap)"},
    {"{" ENTRY("a", "F32", "[1]", "[0,4]") "}", 6, "trailing bytes (6 bytes of data, expected 4)"},
    {"{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("a", "F32", "[1]", "[4,8]") "}", 8,
     "header is not valid JSON"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "has keys beyond"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ 'a' is not text"},
};

static void test_bad(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        const bad_case *c = &bad_cases[i];
        unsigned char bytes[ROOM];
        attn_safetensors *file = (attn_safetensors *)bytes;
        attn_error error = {0};
        size_t size = build(bytes, c->header, c->data);
        assert_int_equal(attn_safetensors_parse(&file, bytes, size, "W", &error), -1);
        assert_null(file);
        if (strncmp(error.message, "W: ", 3) || !strstr(error.message, c->message))
            fail_msg("case %zu: '%s' does not say '%s'", i, error.message, c->message);
    }
}

static void test_header_length(void **state) {
    (void)state;
    static const uint64_t lengths[] = {0, 1, 1000, 100000001, UINT64_MAX, UINT64_MAX - 7, (uint64_t)1 << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        unsigned char bytes[ROOM];
        size_t size = build(bytes, "{" ENTRY("a", "F32", "[1]", "[0,4]") "}", 4);
        memcpy(bytes, &lengths[i], 8);
        attn_safetensors *file;
        attn_error error = {0};
        assert_int_equal(attn_safetensors_parse(&file, bytes, size, "W", &error), -1);
        assert_non_null(strstr(error.message, "not a safetensors file"));
    }
}

static void test_truncated(void **state) {
    (void)state;
    unsigned char bytes[ROOM];
    size_t size = build(bytes, "{" ENTRY("a", "F32", "[1]", "[0,4]") "}", 4);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *exact = malloc(cut + 1);
        memcpy(exact, bytes, cut);
        attn_safetensors *file;
        attn_error error = {0};
        assert_int_equal(attn_safetensors_parse(&file, exact, cut, "W", &error), -1);
        assert_int_equal(attn_safetensors_open(&file, scratch_file("cut", exact, cut), &error), -1);
        free(exact);
    }
}

static void test_paths(void **state) {
    (void)state;
    attn_safetensors *file;
    attn_error error = {0};
    assert_int_equal(attn_safetensors_open(&file, scratch_path("missing"), &error), -1);
    assert_non_null(strstr(error.message, "missing: cannot be read: No such file"));
    error = (attn_error){0};
    assert_int_equal(attn_safetensors_open(&file, "/tmp", &error), -1);
    assert_string_equal(error.message, "/tmp: not a regular file");
}

/* ---- Writing */

static const float numbers[6] = {0.5f, -1, 2, 3e30f, -4e-30f, 5};

static void test_write(void **state) {
    (void)state;
    const attn_safetensors_entry entries[] = {
        {"z.weight", 2, (size_t[]){2, 3}, numbers, NULL, NULL},
        {"a.bias", 1, (size_t[]){3}, numbers + 1, NULL, NULL},
        {"scalar \"quoted\" \xc3\xa9", 0, NULL, numbers + 5, NULL, NULL},
        {"empty", 2, (size_t[]){0, 7}, NULL, NULL, NULL},
    };
    attn_safetensors *file;
    attn_error error = {0};
    const char *path = scratch_path("out.safetensors");
    assert_int_equal(attn_safetensors_write(path, entries, 4, &error), 0);
    assert_int_equal(attn_safetensors_open(&file, path, &error), 0);
    assert_int_equal(attn_safetensors_count(file), 4);
    for (size_t i = 0; i < 4; i++) {
        const attn_safetensor *t = attn_safetensors_find(file, entries[i].name);
        assert_non_null(t);
        assert_int_equal(t->rank, entries[i].rank);
        for (size_t k = 0; k < t->rank; k++)
            assert_int_equal(t->dims[k], entries[i].dims[k]);
        if (t->count)
            assert_memory_equal(t->data, entries[i].data, t->count * sizeof(float));
        if (i < 3) /* insertion order is file order */
            assert_ptr_equal(t, attn_safetensors_at(file, i));
    }
    attn_safetensors_close(file);

    FILE *stream = fopen(path, "rb");
    uint64_t length;
    assert_non_null(stream);
    assert_int_equal(fread(&length, 8, 1, stream), 1);
    assert_int_equal(length % 8, 0);
    fclose(stream);
}

static void test_write_refusals(void **state) {
    (void)state;
    attn_error error = {0};
    const char *path = scratch_path("never");
    size_t files = scratch_count();
    attn_safetensors_entry twice[] = {{"a", 1, (size_t[]){1}, numbers, NULL, NULL},
                                      {"a", 1, (size_t[]){1}, numbers, NULL, NULL}};
    assert_int_equal(attn_safetensors_write(path, twice, 2, &error), -1);
    assert_non_null(strstr(error.message, "tensor 'a' is named twice"));
    error = (attn_error){0};
    twice[1].name = "\xff";
    assert_int_equal(attn_safetensors_write(path, twice, 2, &error), -1);
    assert_non_null(strstr(error.message, "not UTF-8"));
    error = (attn_error){0};
    twice[1] = (attn_safetensors_entry){"b", 2, (size_t[]){SIZE_MAX, 2}, numbers, NULL, NULL};
    assert_int_equal(attn_safetensors_write(path, twice, 2, &error), -1);
    assert_non_null(strstr(error.message, "overflows"));
    assert_int_equal(scratch_count(), files);
    error = (attn_error){0};
    assert_int_equal(attn_safetensors_write("/dev/full", twice, 1, &error), -1);
    assert_non_null(strstr(error.message, "/dev/full: cannot be written"));
}

static void test_many(void **state) {
    (void)state;
    enum { COUNT = 2000 };
    static char names[COUNT][40];
    static attn_safetensors_entry entries[COUNT];
    static float values[COUNT];
    static const size_t one[] = {1};
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "encoders.%zu.self_attn.weight", (i * 7919) % COUNT);
        values[i] = (float)i;
        entries[i] = (attn_safetensors_entry){names[i], 1, one, &values[i], NULL, NULL};
    }
    attn_safetensors *file;
    attn_error error = {0};
    const char *path = scratch_path("many.safetensors");
    assert_int_equal(attn_safetensors_write(path, entries, COUNT, &error), 0);
    assert_int_equal(attn_safetensors_open(&file, path, &error), 0);
    for (size_t i = 0; i < COUNT; i++) {
        float value;
        const attn_safetensor *t = attn_safetensors_find(file, names[i]);
        assert_non_null(t);
        attn_safetensor_floats(t, &value);
        assert_true(value == (float)i);
    }
    attn_safetensors_close(file);
}

/* ---- Memory: jansson's goes through attn_alloc too, so that each of its allocations is refused once. */

static void *counted_malloc(size_t size) {
    return attn_alloc(size, 1, "jansson", NULL);
}

/* A write that fails leaves nothing behind. */
static int open_and_write(void *context, attn_error *error) {
    const attn_safetensors_entry entries[] = {{"first", 2, (size_t[]){2, 3}, numbers, NULL, NULL},
                                              {"second", 1, (size_t[]){3}, numbers, NULL, NULL}};
    attn_safetensors *file = NULL;
    size_t files = scratch_count();
    int result = attn_safetensors_open(&file, context, error);
    attn_safetensors_close(file);
    if (!result)
        result = attn_safetensors_write(context, entries, 2, error);
    assert_int_equal(scratch_count(), files);
    /* where its memory is refused in the middle of a text, jansson blames the text */
    if (error->code == ATTN_ERROR_INPUT && strstr(error->message, "header is not valid JSON"))
        error->code = ATTN_ERROR_MEMORY;
    return result;
}

static void test_refused_memory(void **state) {
    (void)state;
    const attn_safetensors_entry entries[] = {{"first", 2, (size_t[]){2, 3}, numbers, NULL, NULL},
                                              {"second", 1, (size_t[]){3}, numbers, NULL, NULL}};
    const char *path = scratch_path("memory.safetensors");
    attn_error error = {0};
    assert_int_equal(attn_safetensors_write(path, entries, 2, &error), 0);
    json_set_alloc_funcs(counted_malloc, attn_free);
    size_t refused = refuse_each_allocation(open_and_write, (char *)path);
    json_set_alloc_funcs(malloc, free);
    assert_true(refused > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),      cmocka_unit_test(test_every_half),
        cmocka_unit_test(test_bad),       cmocka_unit_test(test_header_length),
        cmocka_unit_test(test_truncated), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_write),     cmocka_unit_test(test_write_refusals),
        cmocka_unit_test(test_many),      cmocka_unit_test(test_refused_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
