/* A build with sanitizers ends a process that does wrong. */
#include "tests/support/cmocka_all.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static volatile int one = 1, none;

static void add_too_much(void) {
    none = INT_MAX + one;
}

static void read_behind_the_end(void) {
    volatile char *block = calloc(1, 1);
    none = block[one];
    free((void *)block);
}

static bool ends_well(void (*work)(void)) {
    const struct rlimit no_core = {0, 0};
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        setrlimit(RLIMIT_CORE, &no_core);
        close(STDERR_FILENO); /* what it says is expected */
        work();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void undefined_behaviour_ends(void **state) {
    (void)state;
    if (!SANITIZED)
        skip();
    assert_false(ends_well(add_too_much));
}

static void wrong_addresses_end(void **state) {
    (void)state;
    if (!SANITIZED)
        skip();
    assert_false(ends_well(read_behind_the_end));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undefined_behaviour_ends),
        cmocka_unit_test(wrong_addresses_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
