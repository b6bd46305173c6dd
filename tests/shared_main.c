/* The program of the tests that share one: it runs the test whose name it is started by, build/tests/FOLDER/test_NAME. */
#include "base/text/ending.h"

#include <stdio.h>

#define TEST(name, function) int function(void);
#include "tests/shared_tests.inc"
#undef TEST

static const struct {
    const char *name; /* tests/FOLDER/test_NAME */
    int (*run)(void);
} tests[] = {
#define TEST(name, function) {name, function},
#include "tests/shared_tests.inc"
};

int main(int count, char **words) {
    const char *name = count ? words[0] : "";
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        if (text_ends(name, tests[i].name))
            return tests[i].run();
    fprintf(stderr, "%s: not the name of a test, as build/tests/base/test_text is\n", name);
    return 2;
}
