/* A slow-down put into timed regions on purpose, so that one can see whether it is found:
 *
 *   ATTNBENCH_DELAY=REGEX=5%        of the time of every row that the extended regular expression finds
 *   ATTNBENCH_DELAY=REGEX=300ns     something in; or so long, or that many turns of an empty loop,
 *   ATTNBENCH_DELAY=REGEX=40loops   in every iteration
 *
 * Read once, when the measuring process starts. Private to bench/. */
#ifndef BENCH_DELAY_H
#define BENCH_DELAY_H

#include "attn/error.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#define BENCH_DELAY_VARIABLE "ATTNBENCH_DELAY"

typedef enum bench_delay_unit {
    BENCH_DELAY_NONE,
    BENCH_DELAY_PERCENT,
    BENCH_DELAY_NS,
    BENCH_DELAY_LOOPS
} bench_delay_unit;

typedef struct bench_delay {
    bench_delay_unit unit;
    double amount;
    regex_t rows; /* compiled unless the unit is NONE */
} bench_delay;

/* From the variable's text; NULL and "" are no delay. Free with bench_delay_free (a zeroed one is fine). */
int bench_delay_parse(bench_delay *delay, const char *text, attn_error *error);
void bench_delay_free(bench_delay *delay);

bool bench_delay_applies(const bench_delay *delay, const char *row);

/* Turns of the loop for one iteration of run(state), which is run for some milliseconds to see how long it
 * takes. */
uint64_t bench_delay_loops(const bench_delay *delay, void (*run)(void *state), void *state);

void bench_delay_spin(uint64_t loops);

#endif
