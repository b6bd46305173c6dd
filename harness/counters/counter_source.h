/* A counter source is one way of counting events around a region: PAPI's presets, the kernel's perf events,
 * software-defined events, the kernel's own accounting. One file a source and one row in sources.c; what is
 * wanted stands in events.inc. */
#ifndef HARNESS_COUNTERS_COUNTER_SOURCE_H
#define HARNESS_COUNTERS_COUNTER_SOURCE_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COUNTER_AS_MAX = 128 };

typedef struct counter_event {
    const char *name;        /* in the results */
    const char *description; /* for people */
    /* PAPI's names of it, a space between them: presets, native events of some CPUs, or one of sde; NULL when it is
     * none of PAPI's. */
    const char *papi;
    int64_t perf_type; /* perf_event_attr.type, or -1 */
    uint64_t perf_config;
    /* Names of it among the kernel's PMUs (pmu_devices.h), a space between them; or NULL. */
    const char *kernel;
    const char *callgrind; /* formula over callgrind's events (events.inc), or NULL */
    bool may_be_zero;
    bool elsewhere; /* a group's native event of other CPUs than this one: it has no names */
} counter_event;

extern const counter_event counter_events[];
extern const size_t counter_event_count;
enum { COUNTER_EVENTS_MAX = 64 }; /* no list of events is longer */

/* A wanted event as it stands on this machine. */
typedef struct counter_slot {
    const counter_event *event;
    const struct counter_source *source; /* that counts it; NULL: unavailable */
    bool native;                         /* by a native event of PAPI */
    char as[COUNTER_AS_MAX];             /* the name that counts, where its source had several; or "" */
    bool crowded;     /* refused only because other events have the counters: alone it may count */
    char reason[640]; /* why not, from every source that was asked */
    size_t said;      /* where in it the last "source: why" begins, and ... */
    size_t why;       /* ... its why */
    bool known;       /* value is that of the last region; otherwise it could not be read */
    double value;     /* whole region */
} counter_slot;

/* Counted by the CPU, in competition with other such events. */
bool counter_slot_is_hardware(const counter_slot *slot);

/* What its values are labelled with: "papi", "papi_native", "perf", "callgrind", "sde", "kernel". */
const char *counter_slot_label(const counter_slot *slot);

typedef struct counter_source {
    const char *name; /* "papi", "perf", "callgrind", "sde", "kernel" */
    /* Claims (sets `source` of) every slot without a source that it can count here and now. Those
     * that one would expect of it and that it cannot count get the reason (counter_slot_refuse). *state is
     * NULL when nothing was claimed. Only memory is an error (-1): all other faults are reasons in the slots. */
    int (*open)(void **state, counter_slot *slots, size_t count, attn_error *error);
    void (*start)(void *state);
    /* `declared` is what the region says of itself: the cache bytes that it read. */
    void (*stop)(void *state, double declared);
    /* After stop: sets known and value of the slots that it claimed. */
    void (*read)(void *state, counter_slot *slots, size_t count);
    void (*close)(void *state);
    bool splits; /* a region may be counted in pieces, by stopping and starting again at borders */
    /* For a source that must not be read at borders, otherwise NULL: keep() says, after stop, which part the
     * piece belongs to (COUNTER_FORGET: what was kept is forgotten); read_part() is the sum of those of one,
     * not known when there was none. */
    void (*keep)(void *state, int part);
    void (*read_part)(void *state, counter_slot *slots, size_t count, int part);
} counter_source;
enum { COUNTER_FORGET = -1 };

/* Adds "source: why" to the slot's reason, formatted. What the source before it said too is said once, of both. */
void counter_slot_refuse(counter_slot *slot, const char *source, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

extern const counter_source counter_source_papi, counter_source_perf, counter_source_callgrind,
    counter_source_sde, counter_source_kernel;

/* Sources for --counters auto|papi|perf|callgrind|off, most trusted first, NULL-terminated; NULL when the
 * word is unknown. `off` keeps the kernel's accounting: it costs nothing and marks disturbed samples. */
const counter_source *const *counter_sources(const char *word);
extern const char *const counter_source_words[]; /* NULL-terminated */

#endif
