/* The side of the measured process: valgrind counts between client requests, and hands the counts
 * over in a file for each region. */
#include "harness/counters/source/callgrind.h"
#include "base/text/formula.h"
#include "bench/parts/parts.h"
#include "harness/counters/counter_source.h"
#include "harness/counters/source/callgrind_files.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if __has_include(<valgrind/callgrind.h>)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#include <valgrind/callgrind.h>
#pragma GCC diagnostic pop
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS
#endif

enum { PIECES_MAX = 8192 };

typedef struct callgrind_state {
    const char *files; /* valgrind appends .1, .2 ... */
    int first, last;   /* those of this state's regions; 0: none yet */
    int pieces;        /* of a run that was split; more than PIECES_MAX: too many */
    struct {
        int file, part;
    } piece[PIECES_MAX];
    bool summed; /* part[] is up to date */
    callgrind_totals part[BENCH_PARTS];
} callgrind_state;

static int dumps; /* of the process */

bool callgrind_is_here(void) {
    return RUNNING_ON_VALGRIND != 0;
}

/* What a CPU counts, or we make it simulate. */
static bool is_asked_of_us(const counter_slot *slot) {
    const counter_event *event = slot->event;
    bool hardware = event->papi && strncmp(event->papi, "sde:", 4);
    return !slot->source && (event->callgrind || hardware || event->kernel || event->perf_type >= 0);
}

static int callgrind_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    const char *files = getenv(CALLGRIND_FILES);
    bool here = RUNNING_ON_VALGRIND && files;
    size_t claimed = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_asked_of_us(&slots[i]))
            continue;
        if (!slots[i].event->callgrind)
            counter_slot_refuse(&slots[i], "callgrind", "it simulates no such event");
        else if (!here)
            counter_slot_refuse(&slots[i], "callgrind",
                                "simulated and slow, so only where asked for: sweep --counters callgrind");
        else
            slots[i].source = &counter_source_callgrind, claimed++;
    }
    if (!claimed)
        return 0;
    callgrind_state *s = attn_alloc(1, sizeof *s, "callgrind counters", error);
    if (!s)
        return -1;
    s->files = files;
    *state = s;
    return 0;
}

static void callgrind_start(void *state) {
    const callgrind_state *s = state;
    if (!s->first) { /* with empty caches, which from then on see all that is run */
        CALLGRIND_START_INSTRUMENTATION;
    }
    CALLGRIND_ZERO_STATS;
}

static void callgrind_stop(void *state, double declared) {
    callgrind_state *s = state;
    (void)declared;
    CALLGRIND_DUMP_STATS;
    s->last = ++dumps;
    s->first = s->first ? s->first : s->last;
}

static void callgrind_close(void *state) {
    CALLGRIND_STOP_INSTRUMENTATION;
    attn_free(state);
}

typedef struct region_totals {
    callgrind_totals last, cold;
} region_totals;

static int total_of(void *context, const char *name, double *value, attn_error *error) {
    static const char cold[] = "cold_";
    const region_totals *t = context;
    bool is_cold = !strncmp(name, cold, strlen(cold));
    *value = callgrind_total(is_cold ? &t->cold : &t->last, is_cold ? name + strlen(cold) : name);
    return isnan(*value) ? attn_fail(error, "%s: no such event of callgrind", name) : 0;
}

/* Cold counts are those of the first region, as callgrind's caches were empty then; it takes a second region
 * to have both. */
static void callgrind_read(void *state, counter_slot *slots, size_t count) {
    const callgrind_state *s = state;
    region_totals totals = {0};
    callgrind_read_totals(&totals.last, s->files, s->last);
    if (s->last > s->first)
        callgrind_read_totals(&totals.cold, s->files, s->first);
    for (size_t i = 0; i < count; i++) {
        attn_error ignored = {0};
        if (slots[i].source == &counter_source_callgrind)
            slots[i].known =
                !formula_evaluate(&slots[i].value, slots[i].event->callgrind, total_of, &totals, &ignored);
    }
}

/* Reading a file would fill the simulated caches with it. */
static void callgrind_keep(void *state, int part) {
    callgrind_state *s = state;
    s->summed = false;
    if (part == COUNTER_FORGET) {
        s->pieces = 0;
        return;
    }
    if (s->pieces < PIECES_MAX) {
        s->piece[s->pieces].file = s->last;
        s->piece[s->pieces].part = part;
    }
    s->pieces += s->pieces <= PIECES_MAX;
}

static void add_totals(callgrind_totals *sum, const callgrind_totals *one) {
    if (!sum->count) {
        *sum = *one;
        return;
    }
    for (size_t e = 0; e < sum->count; e++)
        sum->value[e] += callgrind_total(one, sum->name[e]);
}

static void sum_parts(callgrind_state *s) {
    memset(s->part, 0, sizeof s->part);
    for (int i = 0; i < s->pieces && s->pieces <= PIECES_MAX; i++) {
        callgrind_totals one;
        int part = s->piece[i].part, outer = bench_part_outer(part);
        callgrind_read_totals(&one, s->files, s->piece[i].file);
        add_totals(&s->part[part], &one);
        if (outer != part)
            add_totals(&s->part[outer], &one);
    }
    s->summed = true;
}

/* What began cold is no matter of parts. */
static void callgrind_read_part(void *state, counter_slot *slots, size_t count, int part) {
    callgrind_state *s = state;
    if (!s->summed)
        sum_parts(s);
    const region_totals totals = {.last = s->part[part]};
    for (size_t i = 0; i < count; i++) {
        attn_error ignored = {0};
        if (slots[i].source == &counter_source_callgrind)
            slots[i].known = !formula_evaluate(&slots[i].value, slots[i].event->callgrind, total_of,
                                               (void *)&totals, &ignored);
    }
}

const counter_source counter_source_callgrind = {.name = "callgrind",
                                                 .open = callgrind_open,
                                                 .start = callgrind_start,
                                                 .stop = callgrind_stop,
                                                 .read = callgrind_read,
                                                 .close = callgrind_close,
                                                 .splits = true,
                                                 .keep = callgrind_keep,
                                                 .read_part = callgrind_read_part};
