/* Laying out workspaces: dry and wet agree, pieces do not overlap, what does not fit is not wrapped around. */
#include "base/arena.h"

#include "attn/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct pieces {
    float *first, *early, *late, *last;
} pieces;

static pieces layout(attn_arena *arena, size_t rows) {
    pieces p = {.first = attn_arena_floats(arena, rows, 3)};
    size_t mark = attn_arena_mark(arena);
    p.early = attn_arena_floats(arena, rows, 100);
    attn_arena_release(arena, mark);
    p.late = attn_arena_floats(arena, rows, 7);
    p.last = attn_arena_take(arena, 1, sizeof(float));
    return p;
}

static void dry_and_wet_agree(void **state) {
    (void)state;
    for (size_t rows = 0; rows < 40; rows++) {
        attn_arena dry = attn_arena_dry();
        pieces none = layout(&dry, rows);
        assert_null(none.first);
        attn_error error = {0};
        char *memory = attn_alloc(dry.peak, 1, "memory", &error);
        attn_arena wet = attn_arena_wet(memory);
        pieces p = layout(&wet, rows);
        assert_int_equal(wet.peak, dry.peak);
        assert_true((char *)p.first == memory && p.early == p.late);
        assert_true(p.first + 3 * rows <= p.late && p.late + 7 * rows <= p.last);
        assert_true((char *)(p.last + 1) <= memory + dry.peak);
        assert_int_equal((uintptr_t)p.late % ATTN_ARENA_ALIGN, 0);
        assert_int_equal((uintptr_t)p.last % ATTN_ARENA_ALIGN, 0);
        memset(p.first, 1, 3 * rows * sizeof(float));
        p.last[0] = 1.0f;
        attn_free(memory);
    }
}

/* The most that were taken at once, not what is left at the end. */
static void the_peak_is_remembered(void **state) {
    (void)state;
    attn_arena arena = attn_arena_dry();
    attn_arena_take(&arena, 1000, 1);
    size_t peak = arena.peak;
    attn_arena_release(&arena, 0);
    attn_arena_take(&arena, 1, 1);
    assert_int_equal(arena.peak, peak);
    assert_true(peak >= 1000 && arena.used < peak);
}

static void what_does_not_fit_stays_too_large(void **state) {
    (void)state;
    static const size_t sizes[][2] = {
        {SIZE_MAX, 1}, {SIZE_MAX / 2, 3}, {SIZE_MAX / 4, 1}, {SIZE_MAX - 63, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        attn_arena arena = attn_arena_dry();
        attn_error error = {0};
        attn_arena_take(&arena, 10, 1);
        size_t mark = attn_arena_mark(&arena);
        attn_arena_floats(&arena, sizes[i][0], sizes[i][1]);
        attn_arena_release(&arena, mark);
        attn_arena_take(&arena, 10, 1);
        assert_true(arena.peak == SIZE_MAX && arena.used == SIZE_MAX);
        assert_null(attn_alloc(arena.peak, 1, "workspace", &error));
        assert_string_not_equal(error.message, "");
    }
}

#ifdef __SANITIZE_ADDRESS__
static void a_step_beyond_a_piece_is_found(void **state) {
    (void)state;
    attn_arena dry = attn_arena_dry();
    layout(&dry, 5);
    attn_arena_floats(&dry, 5, 200);
    attn_error error = {0};
    char *memory = attn_alloc(dry.peak, 1, "memory", &error);
    attn_arena wet = attn_arena_wet(memory);
    pieces p = layout(&wet, 5);
    float *beyond = attn_arena_floats(&wet, 5, 200);
    assert_false(__asan_address_is_poisoned(p.first + 14));
    assert_true(__asan_address_is_poisoned(p.first + 15));
    assert_false(__asan_address_is_poisoned(p.early + 499)); /* late has its memory */
    assert_false(__asan_address_is_poisoned(beyond + 999));
    attn_free(memory);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dry_and_wet_agree),
        cmocka_unit_test(the_peak_is_remembered),
        cmocka_unit_test(what_does_not_fit_stays_too_large),
#ifdef __SANITIZE_ADDRESS__
        cmocka_unit_test(a_step_beyond_a_piece_is_found),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
