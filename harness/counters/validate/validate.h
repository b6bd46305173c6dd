/* Counters checked against kernels with known answers. */
#ifndef HARNESS_COUNTERS_VALIDATE_VALIDATE_H
#define HARNESS_COUNTERS_VALIDATE_VALIDATE_H

#include "harness/counters/counter_source.h"
#include "harness/counters/validate/known_kernels.h"

#include <jansson.h>

/* Appends an object for each event and source that could be thought to count it: {"name", "source", "status",
 * "expected", "measured", "kernel", "reason"}, and "factor" when it is scaled; null where there is none.
 * Events that the CPU cannot count at once are checked one after the other. */
int validate_source(json_t *metrics, const counter_source *source, const counter_event *const *events,
                    size_t count, const known_cpu *cpu, attn_error *error);

/* Of the sources of a word of --counters, or of all that there are (NULL). callgrind is checked in a process
 * of its own; of `auto` it is none. A new list. */
json_t *validate_metrics(const char *word, const counter_event *const *events, size_t count,
                         attn_error *error);

/* The object of an event and a source, or NULL. */
const json_t *validation_find(const json_t *metrics, const char *name, const char *source);
const char *validation_status(const json_t *metric); /* "" for NULL */

#endif
