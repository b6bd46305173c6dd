/* What a results file says of one case. */
#ifndef HARNESS_RESULTS_RESULTS_CASE_H
#define HARNESS_RESULTS_RESULTS_CASE_H

#include "bench/parts/parts.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* One repetition. */
typedef struct results_sample {
    double real_time, cpu_time; /* ns per iteration, above 0 */
    double iterations;
    size_t process; /* that it was measured in, from 1; 1 in files of one process a case */
    bool disturbed;
    double parts[BENCH_PARTS]; /* seconds of each part; NaN: not reported */
    /* name -> {"source", "value", "validation"} or {"unavailable"}; NULL: none were asked for */
    const json_t *counters;
    const json_t *by_part[BENCH_PARTS]; /* the same of each part, or NULL */
    const json_t *derived;              /* the same for formulas of counter groups */
    const json_t *measured; /* "flops", "bytes": the same next to the formulas, with "ratio" and "differs" */
} results_sample;

/* One row that was run, with its repetitions. Texts are the file's own and live as long as the results; a
 * text that does not apply is "", a size 0, a number NaN. */
typedef struct results_case {
    const char *name; /* canonical row */
    const char *kind; /* "attention", "encoder", "machine", "kernel" */
    const char *type, *mode;
    const char *path_run; /* path as run */
    const char *model;    /* encoder */
    const char *what;     /* machine */
/* The rows of bench/fields.inc: a size each number, a text each word. What a file leaves out has its default. */
#define NUMBER(id, member, ...) size_t member;
#define CHOICE(id, member, ...) const char *member;
#include "bench/fields.inc"
    double flops, bytes; /* per iteration, by formula */
    double steps;        /* machine: loads, cycles or ways that an iteration takes one after the other */
    double kv_bytes_formula, kv_bytes_live, peak_bytes;
    double conv_bytes_formula, conv_bytes_live; /* encoder: of convolutions and subsampling */
    double audio_seconds, parameters;           /* encoder: audio of an iteration */
    double max_error, limit;                    /* of the check before timing */
    const char *label;                          /* of a peer: what ran it; "" of our own */
    const char *error;                          /* NULL, or why there are no numbers */
    size_t machine;                             /* harness/results/machines.h */
    bool unsupported;                           /* that is: it needs what the machine lacked */
    size_t count;
    results_sample *samples;
} results_case;

/* Whether it is of attention or an encoder, and not of the machine or one kernel. */
bool results_is_model(const results_case *c);

#endif
