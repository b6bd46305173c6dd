/* Data and code move to other pages of memory: the pages change, and nothing else. */
#include "tests/support/cmocka_all.h"

#include "bench/turns/move.h"

#include "attn/alloc.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 3 };
static const size_t sizes[BLOCKS] = {100, 40000, 1 << 20};
static unsigned char *blocks[BLOCKS];

static unsigned char value_at(size_t block, size_t i) {
    return (unsigned char)(31 * block + i + (i >> 8) + (i >> 12));
}

static int make(void **state) {
    (void)state;
    for (size_t b = 0; b < BLOCKS; b++) {
        if (!(blocks[b] = attn_alloc(sizes[b], 1, "block", NULL)))
            return -1;
        for (size_t i = 0; i < sizes[b]; i++)
            blocks[b][i] = value_at(b, i);
    }
    return 0;
}

static int drop(void **state) {
    (void)state;
    for (size_t b = 0; b < BLOCKS; b++)
        attn_free(blocks[b]);
    bench_move_forget();
    return 0;
}

static void expect_blocks(void) {
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t i = 0; i < sizes[b]; i++)
            assert_int_equal(blocks[b][i], value_at(b, i));
}

/* The number of the page of memory behind an address; 0 where the system does not say. */
static uint64_t frame_of(const void *address) {
    uint64_t entry = 0;
    int map = open("/proc/self/pagemap", O_RDONLY);
    if (map >= 0) {
        off_t at = (off_t)((uintptr_t)address / (uintptr_t)sysconf(_SC_PAGESIZE) * sizeof entry);
        if (pread(map, &entry, sizeof entry, at) != sizeof entry)
            entry = 0;
        close(map);
    }
    return entry & ((UINT64_C(1) << 55) - 1);
}

static void test_data_stay_the_same(void **state) {
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), least = sizes[2] - 2 * page;
    if (sizes[1] > 2 * page)
        least += sizes[1] - 2 * page;
    for (int i = 0; i < 4; i++) {
        uint64_t before = frame_of(blocks[2] + sizes[2] / 2);
        assert_true(bench_move() >= least);
        if (before)
            assert_true(frame_of(blocks[2] + sizes[2] / 2) != before);
        expect_blocks();
    }
    blocks[2][sizes[2] / 2] ^= 1; /* what was left behind plays no part */
    bench_move_forget();
    assert_int_equal(blocks[2][sizes[2] / 2], value_at(2, sizes[2] / 2) ^ 1);
    blocks[2][sizes[2] / 2] ^= 1;
    assert_true(bench_move() > 0);
    expect_blocks();
}

static void test_much_stays_where_it_is(void **state) {
    (void)state;
    void *large = attn_alloc(BENCH_MOVE_MOST + 10000, 1, "block", NULL);
    assert_non_null(large);
    assert_int_equal(bench_move(), 0);
    attn_free(large);
    assert_true(bench_move() > 0);
}

/* In huge pages: moved, it would be in small ones, which is slower. */
static void test_large_block_stays(void **state) {
    (void)state;
    char *large = attn_alloc(ATTN_ALLOC_LARGE, 1, "block", NULL);
    assert_non_null(large);
    large[2 << 20] = 1;
    uint64_t before = frame_of(large + (2 << 20));
    assert_in_range(bench_move(), 1, sizes[0] + sizes[1] + sizes[2]);
    assert_true(frame_of(large + (2 << 20)) == before && large[2 << 20] == 1);
    attn_free(large);
    expect_blocks();
}

static void test_room_for_pages_that_are_left_ends(void **state) {
    (void)state;
    size_t moves = 0;
    while (bench_move() && moves < 100000)
        moves++;
    assert_true(moves > 8 && moves < 100000);
    expect_blocks();
    bench_move_forget();
    assert_true(bench_move() > 0);
}

static void test_code_goes_on(void **state) {
    (void)state;
    uint64_t before = frame_of((const void *)(uintptr_t)expect_blocks);
    for (int i = 0; i < 3; i++) {
        bench_move_code();
        expect_blocks();
    }
    if (before)
        assert_true(frame_of((const void *)(uintptr_t)expect_blocks) != before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_data_stay_the_same, make, drop),
        cmocka_unit_test_setup_teardown(test_much_stays_where_it_is, make, drop),
        cmocka_unit_test_setup_teardown(test_large_block_stays, make, drop),
        cmocka_unit_test_setup_teardown(test_room_for_pages_that_are_left_ends, make, drop),
        cmocka_unit_test_setup_teardown(test_code_goes_on, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
