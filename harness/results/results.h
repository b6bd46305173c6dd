/* Reading results files (docs/results.md): strict, so that what follows need not check again. */
#ifndef HARNESS_RESULTS_RESULTS_H
#define HARNESS_RESULTS_RESULTS_H

#include "attn/error.h"
#include "attn/model.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* One repetition. */
typedef struct results_sample {
    double real_time, cpu_time; /* ns per iteration, above 0 */
    double iterations;
    bool disturbed;
    double parts[ATTN_PARTS]; /* encoder: seconds of each part of the model; NaN: not reported */
    /* name -> {"source", "value", "validation"} or {"unavailable"}; NULL: none were asked for */
    const json_t *counters;
    const json_t *by_part[ATTN_PARTS]; /* encoder: the same of each part, or NULL */
    const json_t *derived;             /* the same for formulas of counter groups */
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
    const char *error;                          /* NULL, or why there are no numbers */
    size_t machine;                             /* harness/results/machines.h */
    bool unsupported;                           /* that is: it needs what the machine lacked */
    size_t count;
    results_sample *samples;
} results_case;

typedef struct results {
    json_t *root;
    const json_t *context; /* Google Benchmark's */
    const json_t *own;     /* context.attnbench */
    size_t count;
    results_case *cases; /* in the file's order */
    json_t *index;       /* by name */
} results;

/* Whether it is of attention or an encoder, and not of the machine or one kernel. */
bool results_is_model(const results_case *c);

/* Reads R.json. A truncated file, one of another tool or schema, and missing, mistyped or impossible fields
 * are errors that name the file and the field. Free with results_free (a zeroed one is fine too). */
int results_read(results *r, const char *path, attn_error *error);

/* The same for who compares times: what was counted is passed over unread (NULL), so that a file of some hundred
 * megabytes takes no more memory than its text and a few kilobytes a case. */
int results_read_times(results *r, const char *path, attn_error *error);

/* The same from text in memory; `name` stands for the file in messages. */
int results_parse(results *r, const char *text, size_t size, const char *name, attn_error *error);

/* The same from JSON, which it takes. */
int results_take(results *r, json_t *root, const char *name, attn_error *error);
void results_free(results *r);

/* The case of that name, or NULL. */
const results_case *results_find(const results *r, const char *name);

/* Text below context.attnbench at a path of keys, "machine.cpu"; `missing` where there is none. */
const char *results_text(const results *r, const char *path, const char *missing);

#endif
