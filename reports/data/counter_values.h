/* A counter of a results file, {"source", "value", "validation"}, as the report shows it. */
#ifndef REPORTS_DATA_COUNTER_VALUES_H
#define REPORTS_DATA_COUNTER_VALUES_H

#include "harness/results/results.h"

#include <jansson.h>
#include <stdbool.h>

/* Shown as a number: trusted, scaled, and unchecked, which nothing was held against. Not: rejected. */
bool counter_is_shown(const json_t *counter);
bool counter_is_scaled(const json_t *counter);
/* " (scaled)", " (unchecked)" or "": goes wherever the value stands. */
const char *counter_mark(const json_t *counter);

/* What a scaled counter read is divided by its factor. */
double counter_value(const json_t *counter);

/* One of a sample's objects of counters; NULL: it has none. */
typedef const json_t *counter_list(const results_sample *s);
counter_list counter_counted; /* `counters`: by iteration */

/* The median over the samples in which `name` is shown: of its value, or of the number at `key` when that is not
 * NULL. NaN when there are none, or no memory. */
double counter_median(const results_case *c, counter_list *list, const char *name, const char *key);

#endif
