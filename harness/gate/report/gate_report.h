/* What the gate and compare found: data with its verdicts, from which the exit status comes, and the forms in
 * which people and services read it. */
#ifndef HARNESS_GATE_REPORT_GATE_REPORT_H
#define HARNESS_GATE_REPORT_GATE_REPORT_H

#include "harness/gate/decide/verdict.h"

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { GATE_SCHEMA = 1 };

/* A case. Numbers that are unknown are NaN (or infinite) here and null in JSON. */
typedef struct gate_row {
    const char *name;
    gate_verdict verdict;
    const char *why;                             /* more on the verdict; NULL: nothing */
    const char *unit;                            /* of base and candidate: "ns", "instructions"; a constant */
    double base, candidate;                      /* medians over processes */
    double estimate, low, high, p, noise, floor; /* effects are logs of ratios */
    size_t pairs;                                /* or processes, where they are not paired */
    double bytes[GATE_BYTE_COUNTS][2];           /* base, candidate */
    json_t *moved, *samples;                     /* NULL: none */
} gate_row;

gate_bytes gate_row_bytes(const gate_row *row, size_t count);
int gate_row_status(const gate_row *row);
/* Of an effect, for people; NaN for an open bound. */
double gate_percent(double effect);

/* All cases; {0} is none. */
typedef struct gate_rows {
    size_t count;
    gate_row *row;
} gate_rows;

/* Copies the text of the row and takes its JSON, whether there is room or not. */
int gate_rows_add(gate_rows *rows, const gate_row *row, attn_error *error);
void gate_rows_free(gate_rows *rows);

typedef struct gate_report {
    const char *command; /* "gate" */
    gate_rows rows;
    int interrupted;          /* an exit status in place of what the cases come to; 0: not interrupted */
    json_t *settings, *notes; /* an object; a list of text */
} gate_report;

/* Frees rows, settings and notes; a zeroed one is fine too. */
void gate_report_free(gate_report *report);

int gate_report_status(const gate_report *report);          /* exit status */
const char *gate_report_verdict(const gate_report *report); /* "PASS", "UNDECIDED" or "FAIL" */

/* How many cases have each verdict, in the order in which they come first; a number of bytes that grew counts
 * as one of its own. Returns how many there are. */
typedef struct gate_tally {
    const char *what;
    size_t count;
} gate_tally;
enum { GATE_TALLIES = GATE_VERDICTS + 1 };
size_t gate_report_tally(gate_tally tally[GATE_TALLIES], const gate_report *report);

/* One form each; errors of the stream are left to its owner. */
void gate_report_markdown(const gate_report *report, FILE *to);
void gate_report_junit(const gate_report *report, FILE *to);

/*   {"gate": {"schema": 1, "command", "status", "verdict", "counts": {"SLOWER": 1, ...}, ...settings, "notes"},
 *    "cases": [...]}                                               docs/gate.md has the fields
 * NULL when memory is short, or some text is not UTF-8. */
json_t *gate_report_json(const gate_report *report);
json_t *gate_row_json(const gate_row *row);

#endif
