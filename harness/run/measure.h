/* One case measured in a fresh process of its own: `PROGRAM bench --case ROW`, pinned to one CPU, and its reply
 * read. */
#ifndef HARNESS_RUN_MEASURE_H
#define HARNESS_RUN_MEASURE_H

#include "bench/case.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { MEASURE_COUNTER_WORDS = 8 };

typedef struct measure_settings {
    const char *program;         /* an attnbench */
    const char *const *counters; /* words of the command line that say what is counted, ended by NULL, at most
                                    MEASURE_COUNTER_WORDS; NULL: nothing is */
    bool simulated;              /* one repetition of one iteration under callgrind, for its counters */
    uint64_t seed;
    size_t repetitions;
    double min_time;    /* of a repetition, seconds */
    double check_flops; /* what the reference may take in the check; 0: what the program takes by itself */
    bool hash_output;   /* its entries have "output_hash", where the case has an output */
    /* Of an earlier process whose check passed: the same output is not checked again. 0: none. */
    double output_hash;
    const char *delay; /* ATTNBENCH_DELAY of the process (bench/delay.h); NULL: none */
    double limit; /* seconds until the process is killed and the case has failed; 0: CHILD_LIMIT, and time for
                     the repetitions */
    int cpu;
} measure_settings;

typedef enum measure_outcome {
    MEASURE_DONE,
    MEASURE_UNSUPPORTED, /* the case needs what this machine lacks */
    MEASURE_FAILED,      /* its check failed, or its process broke */
    MEASURE_LATE,        /* its process was still running at its limit */
    MEASURE_REFUSED      /* the program did not take its command line: it may not know the row */
} measure_outcome;

/* The program that measures: this one. ATTNBENCH_CHILD is for tests of what a broken one leads to. attn_free
 * it. */
char *measure_program(attn_error *error);

/* Removes variables that would change what is measured or printed, for all processes to come. */
void measure_clean_environment(void);

/* A new list of entries (docs/results.md). A fault of the case becomes its only entry, with
 * "error_message". -1: a stop signal, memory, or the program cannot be run. */
int measure_case(json_t **entries, measure_outcome *outcome, const bench_case *c,
                 const measure_settings *settings, attn_error *error);

/* Starts a process that measures by turns (bench/turns/turn_lines.h): this case in version 1; in version 2 the cases
 * that it is asked for, all with as many threads as this one. -1: it cannot be started. */
struct child_talk;
struct child_result;
int measure_start_turns(struct child_talk *talk, const bench_case *c, int version,
                        const measure_settings *settings, attn_error *error);

/* What a process says of its end, without "attnbench bench: ". */
const char *measure_said(const struct child_result *r);

/* Whether the program knows the row, in a process that measures nothing. */
int measure_knows(bool *knows, const bench_case *c, const measure_settings *settings, attn_error *error);

#endif
