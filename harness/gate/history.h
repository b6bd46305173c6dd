/* Results over time, one line of JSON each (docs/gate.md):
 *
 *   {"commit", "date", "host", "fingerprint", "plan", "cases": {row: {"time": ns, "runs": n, "kv_bytes": b}}} */
#ifndef HARNESS_GATE_HISTORY_H
#define HARNESS_GATE_HISTORY_H

#include "harness/results/results.h"

/* All lines, an array of objects that are as above; a missing file is an error. json_decref it. */
json_t *history_read(const char *path, attn_error *error);

/* Appends the line of these results. `commit` NULL: that of the build. Refuses what is there already, and,
 * unless forced, results of another machine than the last line's. A missing file is made. */
int history_add(const char *path, const results *r, const char *commit, bool force, attn_error *error);

/* A case over time: where it is there. */
typedef struct history_series {
    const char *name; /* of the lines */
    size_t count;
    size_t *line;  /* index of the line of each value */
    double *value; /* ns */
} history_series;

/* Every case of the lines, in order of appearance. Free with history_series_free. NULL: memory. */
history_series *history_all_series(size_t *count, const json_t *lines, attn_error *error);
void history_series_free(history_series *series, size_t count);

typedef struct history_change {
    size_t at; /* index in the series */
    double before, after, p;
} history_change;

/* Change points of a series (find_changes), on each machine by itself: values before and after a change of
 * machine are never compared. `changes` has room for series->count. Returns how many, or -1. */
int history_changes(history_change *changes, const history_series *series, const json_t *lines, double max_p,
                    double min_change, attn_error *error);

#endif
