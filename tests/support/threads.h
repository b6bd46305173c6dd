/* Pools of 1 to TEST_THREADS threads for a group of tests. */
#ifndef TESTS_SUPPORT_THREADS_H
#define TESTS_SUPPORT_THREADS_H

#include "attn/threads.h"

enum { TEST_THREADS = 3 };
extern attn_threads *test_threads[TEST_THREADS + 1]; /* by how many they are, from 1 */

/* Set-up and clean-up of a cmocka group; the second also requires that nothing allocated is left. */
int test_threads_open(void **state);
int test_threads_close(void **state);

#endif
