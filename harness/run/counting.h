/* What a sweep's cases are counted by: the process that is timed, further passes of a wide group, a process
 * under callgrind; and what is made of the counters of all of them. */
#ifndef HARNESS_RUN_COUNTING_H
#define HARNESS_RUN_COUNTING_H

#include "harness/counters/group.h"
#include "harness/counters/passes.h"
#include "harness/run/measure.h"

#include <jansson.h>

typedef struct counting {
    const char *word; /* of counter_source_words */
    char *group_as;   /* a name, or the absolute path of a file; NULL: all events that fit */
    int cpu;
    bool simulated;
    double cache_bytes;
    counter_group group;
    group_list groups; /* all, when no group was given */
    counter_passes passes;
    char *events[PASSES_MAX]; /* names of each pass */
    json_t *metrics;          /* how the sources were validated; NULL: they could not be */
} counting;

/* Reads groups and plans passes. Free with counting_close (a zeroed one is fine too). */
int counting_open(counting *c, const char *word, const char *group, int cpu, attn_error *error);
void counting_close(counting *c);

/* Validates the sources, in a process pinned to the CPU. -1 when a stop signal came; when validation fails,
 * no counter is trusted, and stderr says why. */
int counting_validate(counting *c, attn_error *error);

/* Words of the timed process's command line: --counters and what belongs to it, ended by NULL. */
void counting_words(const counting *c, const char *words[MEASURE_COUNTER_WORDS]);

/* Runs the further processes of a case that was timed well, with the same settings, and completes its
 * entries: counters, "derived" and "measured" (docs/results.md). `earlier` are complete entries of the case from an
 * earlier round, or NULL: what was simulated for those, which is the same each time, is not simulated again. -1 when a
 * stop signal came or memory is short; all other faults there are reasons in the counters. */
int counting_complete(const counting *c, json_t *entries, const json_t *earlier, const bench_case *row,
                      const measure_settings *timed, attn_error *error);

/* "validation", and where they apply "callgrind" and "group", into context.attnbench. */
void counting_describe(const counting *c, json_t *own);

#endif
