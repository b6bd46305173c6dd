/* Reading results files (docs/results.md): strict, so that what follows need not check again. */
#ifndef HARNESS_RESULTS_RESULTS_H
#define HARNESS_RESULTS_RESULTS_H

#include "harness/results/results_case.h"

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct results {
    json_t *root;
    const json_t *context; /* Google Benchmark's */
    const json_t *own;     /* context.attnbench */
    size_t count;
    results_case *cases; /* in the file's order */
    json_t *index;       /* by name */
} results;

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
