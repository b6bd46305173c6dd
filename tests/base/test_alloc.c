/* The blocks that are held: their sizes, and who visits them. */
#include "tests/support/cmocka_all.h"

#include "attn/alloc.h"

#include <stdbool.h>

enum { MOST = 8 };

typedef struct seen {
    size_t count, bytes;
    const void *block[MOST];
} seen;

static void look(void *context, const void *block, size_t size) {
    seen *s = context;
    assert_true(s->count < MOST);
    s->block[s->count++] = block;
    s->bytes += size;
}

static bool has(const seen *s, const void *block) {
    for (size_t i = 0; i < s->count; i++)
        if (s->block[i] == block)
            return true;
    return false;
}

static seen visit(void) {
    seen s = {0};
    attn_alloc_visit(look, &s);
    assert_int_equal(s.bytes, attn_alloc_live());
    return s;
}

/* Whichever of three goes first, the others stay in the list. */
static void test_visit(void **state) {
    (void)state;
    for (size_t first = 0; first < 3; first++) {
        char *block[3];
        for (size_t i = 0; i < 3; i++)
            assert_non_null(block[i] = attn_alloc(10 * (i + 1), 1, "block", NULL));
        seen s = visit();
        assert_int_equal(s.count, 3);
        attn_free(block[first]);
        s = visit();
        assert_int_equal(s.count, 2);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(has(&s, block[i]), i != first);
        for (size_t i = 0; i < 3; i++)
            if (i != first)
                attn_free(block[i]);
        assert_int_equal(visit().count, 0);
    }
}

static void test_grown(void **state) {
    (void)state;
    char *block = attn_alloc(10, 1, "block", NULL), *grown = attn_realloc(block, 1000, 1, "block", NULL);
    seen s = visit();
    assert_int_equal(s.count, 1);
    assert_true(has(&s, grown));
    attn_free(grown);
    assert_int_equal(visit().count, 0);
}

static void test_room_for_one_more(void **state) {
    (void)state;
    enum { COUNT = 100 };
    int *numbers = NULL;
    for (int i = 0; i < COUNT; i++) {
        int *grown = attn_grown(numbers, (size_t)i, sizeof *grown, "numbers", NULL);
        assert_non_null(grown);
        assert_true(attn_alloc_size(grown) > (size_t)i * sizeof *grown);
        assert_true(attn_alloc_size(grown) <= 2 * COUNT * sizeof *grown);
        numbers = grown;
        numbers[i] = i;
    }
    size_t count = attn_alloc_size(numbers) / sizeof *numbers;
    attn_error error = {0};
    attn_alloc_fail_at(1);
    assert_ptr_equal(attn_grown(numbers, count - 1, sizeof *numbers, "numbers", &error), numbers);
    assert_null(attn_grown(numbers, count, sizeof *numbers, "numbers", &error));
    attn_alloc_fail_at(0);
    assert_int_equal(error.code, ATTN_ERROR_MEMORY);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(numbers[i], i);
    attn_free(numbers);
    assert_int_equal(visit().count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_room_for_one_more), cmocka_unit_test(test_visit),
                                       cmocka_unit_test(test_grown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
