/* Rows of cases: whatever is taken has a name that is taken for the same case. */
#include "bench/case.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char row[2 * BENCH_NAME_MAX];
    bench_case c, again;
    attn_error error = {0};
    if (size >= sizeof row)
        return 0;
    memcpy(row, bytes, size);
    row[size] = '\0';
    if (bench_case_parse(&c, row, &error)) {
        if (!error.message[0] || strchr(error.message, '\n'))
            abort();
        return 0;
    }
    if (bench_case_parse(&again, c.name, &error) || strcmp(again.name, c.name) || again.impl != c.impl ||
        again.keys != c.keys || again.queries != c.queries)
        abort();
    return 0;
}
