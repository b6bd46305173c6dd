/* One case measured in a fresh process of its own: `PROGRAM bench --case ROW`, pinned to one CPU. */
#ifndef HARNESS_RUN_MEASURE_H
#define HARNESS_RUN_MEASURE_H

#include "harness/run/counting.h"

#include "bench/case.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct measure_settings {
    const char *program;      /* an attnbench */
    const counting *counting; /* NULL: --counters off */
    bool simulated;           /* one repetition of one iteration under callgrind, for its counters */
    uint64_t seed;
    size_t repetitions;
    double min_time;    /* of a repetition, seconds */
    double check_flops; /* what the reference may take in the check; 0: what the program takes by itself */
    const char *delay;  /* ATTNBENCH_DELAY of the process (bench/delay.h); NULL: none */
    double limit;       /* seconds until the process is killed and the case has failed; 0: none */
    int cpu;
} measure_settings;

/* The program that measures: this one. ATTNBENCH_CHILD is for tests of what a broken one leads to. attn_free
 * it. */
char *measure_program(attn_error *error);

/* Removes variables that would change what is measured or printed, for all processes to come. */
void measure_clean_environment(void);

/* A new list of entries (docs/results.md). Whatever goes wrong with the case becomes its only entry, and
 * *failed. -1: a stop signal, memory, or the program cannot be run. */
int measure_case(json_t **entries, bool *failed, const bench_case *c, const measure_settings *settings,
                 attn_error *error);

#endif
