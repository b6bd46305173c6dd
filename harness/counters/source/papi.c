/* Source "papi": PAPI's preset events, and native ones where a group has them, in one event set, never
 * multiplexed. */
#include "harness/counters/counter_source.h"

#include "harness/counters/source/papi_library.h"
#include "harness/counters/source/papi_refusal.h"
#include "harness/machine/machine.h"

#include "attn/alloc.h"

#include <papi.h>
#include <stdio.h>
#include <string.h>

enum { EVENTS_MAX = 32 };

typedef struct papi_state {
    int set, events;
    int result;              /* of the last start or stop */
    size_t slot[EVENTS_MAX]; /* event i of the set is this slot */
    long long value[EVENTS_MAX];
} papi_state;

static bool is_wanted(const counter_slot *slot) {
    return !slot->source && slot->event->papi && strncmp(slot->event->papi, "sde:", 4);
}

static bool is_preset(const char *name) {
    return !strncmp(name, "PAPI_", 5);
}

static void refuse_all(counter_slot *slots, size_t count, const char *why) {
    for (size_t i = 0; i < count; i++)
        if (is_wanted(&slots[i]))
            counter_slot_refuse(&slots[i], "papi", "%s", why);
}

/* What happens to an event in a set of its own. */
static bool counts_alone(const char *name) {
    long long value;
    int set = PAPI_NULL;
    if (PAPI_create_eventset(&set) != PAPI_OK)
        return false;
    bool counts = PAPI_add_named_event(set, name) == PAPI_OK && PAPI_start(set) == PAPI_OK &&
                  PAPI_stop(set, &value) == PAPI_OK;
    PAPI_cleanup_eventset(set);
    PAPI_destroy_eventset(&set);
    return counts;
}

/* PAPI's component is up on machines that have no PMU, and says of every event that it does not exist; it
 * says the same of every preset on a CPU that it does not know. A group that is too large gets EINVAL from x86
 * kernels, which PAPI passes on, or PAPI_ECNFLCT: then the event counts when it is alone. */
static void refuse(counter_slot *slot, const char *name, int result) {
    char text[200];
    slot->crowded = result != PAPI_ENOEVNT && counts_alone(name);
    papi_situation s = {.result = result,
                        .crowded = slot->crowded,
                        .native = !is_preset(name),
                        .pmu = perf_try_pmu(),
                        .presets = papi_preset_count(),
                        .version = papi_library_version(),
                        .family = machine_here()->family,
                        .model = machine_here()->model};
    perf_surroundings_read(&s.around, NULL);
    if (papi_refusal(text, sizeof text, &s))
        counter_slot_refuse(slot, "papi", "%s: %s", name, text);
    else
        counter_slot_refuse(slot, "papi", "%s", text);
}

/* The first of its names that this CPU has, whether or not there is a counter left for it; otherwise the first of all
 * and what PAPI said to that. */
static int add_first(papi_state *s, const char *names, char name[COUNTER_AS_MAX]) {
    int refused = PAPI_OK;
    for (const char *at = names; *at; at += strspn(at, " ")) {
        char next[COUNTER_AS_MAX];
        size_t length = strcspn(at, " ");
        snprintf(next, sizeof next, "%.*s", (int)length, at);
        int result = PAPI_add_named_event(s->set, next);
        bool taken = result == PAPI_OK || (result != PAPI_ENOEVNT && counts_alone(next));
        if (taken || refused == PAPI_OK) {
            refused = result;
            memcpy(name, next, sizeof next);
        }
        if (taken)
            break;
        at += length;
    }
    return refused;
}

static void add_events(papi_state *s, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count && s->events < EVENTS_MAX; i++) {
        char name[COUNTER_AS_MAX];
        if (!is_wanted(&slots[i]))
            continue;
        int result = add_first(s, slots[i].event->papi, name);
        if (result == PAPI_OK) {
            memcpy(slots[i].as, name, sizeof name);
            s->slot[s->events++] = i;
        } else {
            refuse(&slots[i], name, result);
        }
    }
}

/* Events that could be added may still not be countable together: drops the last until a trial run works. */
static void try_events(papi_state *s, counter_slot *slots) {
    while (s->events) {
        int result = PAPI_start(s->set);
        if (result == PAPI_OK)
            result = PAPI_stop(s->set, s->value);
        if (result == PAPI_OK)
            return;
        counter_slot *last = &slots[s->slot[--s->events]];
        refuse(last, last->as, result);
        PAPI_remove_named_event(s->set, last->as);
        last->as[0] = '\0';
    }
}

static void papi_close(void *state) {
    papi_state *s = state;
    PAPI_cleanup_eventset(s->set);
    PAPI_destroy_eventset(&s->set);
    attn_free(s);
}

static int papi_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    const char *refusal = papi_component_refusal("perf_event");
    if (refusal) {
        char text[240];
        perf_surroundings around;
        perf_surroundings_read(&around, NULL);
        papi_disabled(text, sizeof text, refusal, &around);
        refuse_all(slots, count, text);
        return 0;
    }
    papi_state *s = attn_alloc(1, sizeof *s, "PAPI counters", error);
    if (!s)
        return -1;
    s->set = PAPI_NULL;
    int result = PAPI_create_eventset(&s->set);
    if (result != PAPI_OK) {
        refuse_all(slots, count, PAPI_strerror(result));
        attn_free(s);
        return 0;
    }
    add_events(s, slots, count);
    try_events(s, slots);
    for (int i = 0; i < s->events; i++) {
        counter_slot *slot = &slots[s->slot[i]];
        slot->source = &counter_source_papi;
        slot->native = !is_preset(slot->as);
    }
    if (s->events)
        *state = s;
    else
        papi_close(s);
    return 0;
}

static void papi_start(void *state) {
    papi_state *s = state;
    s->result = PAPI_start(s->set);
}

static void papi_stop(void *state, double declared) {
    papi_state *s = state;
    (void)declared;
    if (s->result == PAPI_OK)
        s->result = PAPI_stop(s->set, s->value);
}

static void papi_read(void *state, counter_slot *slots, size_t count) {
    const papi_state *s = state;
    (void)count;
    for (int i = 0; i < s->events; i++) {
        slots[s->slot[i]].known = s->result == PAPI_OK;
        slots[s->slot[i]].value = (double)s->value[i];
    }
}

const counter_source counter_source_papi = {.name = "papi",
                                            .open = papi_open,
                                            .start = papi_start,
                                            .stop = papi_stop,
                                            .read = papi_read,
                                            .close = papi_close,
                                            .splits = true};
