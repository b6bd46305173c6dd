#include "tests/support/threads.h"

#include "attn/alloc.h"
#include "tests/support/cmocka_all.h"

attn_threads *test_threads[TEST_THREADS + 1];

int test_threads_open(void **state) {
    (void)state;
    for (size_t i = 1; i <= TEST_THREADS; i++)
        if (attn_threads_open(&test_threads[i], i, NULL, NULL))
            return -1;
    return 0;
}

int test_threads_close(void **state) {
    (void)state;
    for (size_t i = 1; i <= TEST_THREADS; i++)
        attn_threads_close(test_threads[i]);
    assert_int_equal(attn_alloc_live(), 0);
    return 0;
}
