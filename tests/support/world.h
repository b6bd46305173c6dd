/* Measured cases made in code, for tests of what reports make of them. */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "bench/field.h"
#include "reports/data/measured.h"

enum { CASES = 64 };

/* Cases made in code; the texts are literals. */
typedef struct world {
    results r;
    results_case cases[CASES];
    results_sample samples[CASES];
    report_data data;
} world;

/* A case of one layer and one run, which the test may change; fields that it does not set are as the reader leaves
 * them. */
results_case *add_case(world *w, const char *type, const char *mode, size_t L, size_t q, double time);
void add_machine(world *w, const char *what, size_t working_set, double flops, double bytes, double time);

#endif
