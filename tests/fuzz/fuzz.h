/* A fuzz target is one fuzz_<name>.c with the function below, and seeds in corpus/<name>/. `make fuzz` runs
 * it under libFuzzer; `make test` runs it by driver.c over the seeds and simple mutations of them. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "attn/alloc.h"
#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parses one input; aborts when something that must hold does not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_REQUIRE(condition)                                                                              \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* After a parser returned: an error has one line that says something, and success has none. */
static inline void fuzz_check_error(int result, const attn_error *error) {
    FUZZ_REQUIRE((result != 0) == (error->message[0] != '\0'));
    FUZZ_REQUIRE(!strchr(error->message, '\n'));
}

#endif
