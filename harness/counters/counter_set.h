/* All wanted events, each from the first source that can count it here. */
#ifndef HARNESS_COUNTERS_COUNTER_SET_H
#define HARNESS_COUNTERS_COUNTER_SET_H

#include "attn/model.h"
#include "bench/bench.h"
#include "harness/counters/counter_source.h"

enum { COUNTER_SOURCES = 8 };

/* What the pieces of a part counted in sum. */
typedef struct counter_piece {
    size_t pieces;
    bool lost; /* one could not be read */
    double value;
} counter_piece;

typedef struct counter_set {
    counter_slot *slots;
    size_t count;
    struct {
        const counter_source *source;
        void *state;
    } open[COUNTER_SOURCES];
    size_t opened;
    uint64_t iterations;              /* of the last region */
    counter_piece *part[BENCH_PARTS]; /* [count] each, of the last run that was split */
    int current;                      /* part that is being counted, or BENCH_PARTS_END */
} counter_set;

/* All of counter_events, or those in the list. `sources` as from counter_sources(). Close with
 * counter_set_close (a zeroed set is fine too). */
int counter_set_open(counter_set *set, const counter_source *const *sources, attn_error *error);
int counter_set_open_events(counter_set *set, const counter_source *const *sources,
                            const counter_event *const *events, size_t count, attn_error *error);
void counter_set_close(counter_set *set);

/* Around a region. */
void counter_set_start(counter_set *set);
void counter_set_stop(counter_set *set, uint64_t iterations, double cache_bytes_read);

/* Of the last region: every slot gets its value, or is not `known`: a value that can't be (negative, not a
 * number, 0 instructions) is not passed on. */
void counter_set_read(counter_set *set);

/* One run in pieces: `part` begins, BENCH_PARTS_END ends the last one. Only sources that can split count. */
void counter_set_part(counter_set *set, int part);

/* As counter_set_read, of a part of that run with the parts that lie in it: slots that no piece was counted for are not known. */
void counter_set_read_part(counter_set *set, int part);

/* Brackets the timed regions of bench_main (every iteration by itself when it is simulated); values are per
 * iteration. describe() gives one line per event,
 * key COUNTER_KEY and the event's name: the source, or "unavailable: " and why. */
bench_probe counter_set_probe(counter_set *set);
#define COUNTER_KEY "counter."
#define COUNTER_EVENT_KEY "event." /* and its name: which of several names it is counted by */
#define COUNTER_UNAVAILABLE "unavailable: "
#define COUNTER_NOT_ASKED "not asked for" /* reason of what no source of the set counts */

#endif
