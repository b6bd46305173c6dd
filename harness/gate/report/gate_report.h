/* What the gate and compare found, as one JSON object, and the forms in which people and services read it.
 *
 *   {"gate": {"schema": 1, "command", "status", "verdict", "counts": {"SLOWER": 1, ...}, ...settings},
 *    "cases": [...]}                                               docs/gate.md has the fields
 */
#ifndef HARNESS_GATE_REPORT_GATE_REPORT_H
#define HARNESS_GATE_REPORT_GATE_REPORT_H

#include "harness/gate/decide/verdict.h"

#include "attn/error.h"

#include <jansson.h>
#include <stdio.h>

enum { GATE_SCHEMA = 1 };

/* A case. Numbers that are unknown are NaN (or infinite) here and null in JSON. */
typedef struct gate_row {
    const char *name;
    gate_verdict verdict;
    const char *why;                             /* more on the verdict; NULL: nothing */
    const char *unit;                            /* of base and candidate: "ns", "instructions" */
    double base, candidate;                      /* medians over processes */
    double estimate, low, high, p, noise, floor; /* effects are logs of ratios */
    size_t pairs;                                /* or processes, where they are not paired */
    double bytes[GATE_BYTE_COUNTS][2];           /* base, candidate */
    json_t *moved, *samples;                     /* taken; NULL: none */
} gate_row;

json_t *gate_row_json(const gate_row *row); /* NULL when memory is short */

/* Takes both. `settings` are further members of "gate". */
json_t *gate_report(const char *name, json_t *settings, json_t *rows, attn_error *error);
int gate_report_status(const json_t *report);

typedef struct gate_output {
    const char *format;                  /* on standard output: md, csv or json */
    const char *markdown, *junit, *json; /* files; NULL: not wanted */
} gate_output;

/* For popt's table of a command. */
#define GATE_OUTPUT_OPTIONS(output)                                                                          \
    {"format", '\0', POPT_ARG_STRING, &(output).format, 0, "md (default), csv or json", "FORMAT"},           \
        {"markdown", '\0', POPT_ARG_STRING, &(output).markdown, 0, "a comment for a pull request", "FILE"},  \
        {"junit", '\0', POPT_ARG_STRING, &(output).junit, 0, "JUnit XML", "FILE"}, {                         \
        "json", '\0', POPT_ARG_STRING, &(output).json, 0, "everything, with each process", "FILE"            \
    }

/* Refuses a format that is none, and files that cannot be written: before anything is measured. */
int gate_output_check(const gate_output *output, attn_error *error);
/* All of them, whatever becomes of the others; -1 when any could not be written. */
int gate_report_write(const json_t *report, const gate_output *output, attn_error *error);

/* One each; errors of the stream are left to its owner. */
void gate_report_markdown(const json_t *report, FILE *to);
void gate_report_junit(const json_t *report, FILE *to);

#endif
