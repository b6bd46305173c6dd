/* What any program that prints Google Benchmark's JSON says of its benchmarks. */
#ifndef HARNESS_GATE_GOOGLE_H
#define HARNESS_GATE_GOOGLE_H

#include "attn/error.h"

#include <jansson.h>

/* {name: {"times": [ns of each repetition], "mean" or "median": ns, "ns" and "cpu_ns" of all repetitions} or
 * {"error": text}}, in the order of the text. A name is that of the run. NULL: `who` printed something else. json_decref it. */
json_t *google_read(const char *text, size_t size, const char *who, attn_error *error);

/* ns: single_best_time of the repetitions; where only aggregates were printed, the median, or else the mean. NaN: an
 * error was reported, or nothing. */
double google_time(const json_t *benchmark);

/* Adds how long its repetitions took, and how much of that they were on a CPU, as the program says. */
void google_ran(double *ns, double *cpu_ns, const json_t *benchmark);

#endif
