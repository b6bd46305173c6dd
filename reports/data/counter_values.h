/* A counter of a results file, {"source", "value", "validation"}, as the report shows it. */
#ifndef REPORTS_DATA_COUNTER_VALUES_H
#define REPORTS_DATA_COUNTER_VALUES_H

#include <jansson.h>
#include <stdbool.h>

/* "" where there is none. */
const char *counter_text(const json_t *counter, const char *key);

/* Shown as a number: trusted, scaled, and unchecked, which nothing was held against. Not: rejected. */
bool counter_is_shown(const json_t *counter);
bool counter_is_scaled(const json_t *counter);
/* " (scaled)", " (unchecked)" or "": goes wherever the value stands. */
const char *counter_mark(const json_t *counter);

/* What a scaled counter read is divided by its factor. */
double counter_value(const json_t *counter);

#endif
