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

enum { EVENTS_MAX = 32, EVENT_NAME_MAX = 128 };

typedef struct papi_state {
    int set, events;
    int result;                            /* of the last start or stop */
    size_t slot[EVENTS_MAX];               /* event i of the set is this slot */
    char name[EVENTS_MAX][EVENT_NAME_MAX]; /* of native events */
    long long value[EVENTS_MAX];
} papi_state;

static bool is_preset(const counter_slot *slot) {
    return !slot->source && slot->event->papi && !strncmp(slot->event->papi, "PAPI_", 5);
}

static bool has_native(const counter_slot *slot) {
    return !slot->source && slot->event->native;
}

static void refuse_all(counter_slot *slots, size_t count, const char *why) {
    for (size_t i = 0; i < count; i++)
        if (is_preset(&slots[i]) || has_native(&slots[i]))
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

/* Its names, one after the other, until `use` says PAPI_OK; otherwise what it said of the first that PAPI knows. */
static int first_name(const char *names, char name[EVENT_NAME_MAX], int (*use)(void *, const char *),
                      void *context) {
    int refused = PAPI_ENOEVNT;
    for (const char *at = names; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        snprintf(name, EVENT_NAME_MAX, "%.*s", (int)length, at);
        int result = use(context, name);
        if (result == PAPI_OK)
            return PAPI_OK;
        if (refused == PAPI_ENOEVNT)
            refused = result;
        at += length;
    }
    return refused;
}

static int try_alone(void *context, const char *name) {
    (void)context;
    return counts_alone(name) ? PAPI_OK : PAPI_ENOEVNT;
}

/* PAPI passes on what the kernel says to a group that is too large (EINVAL on x86), or says PAPI_ECNFLCT. */
static bool is_crowded(const counter_slot *slot, int result) {
    char name[EVENT_NAME_MAX];
    const char *names = slot->event->native ? slot->event->native : slot->event->papi;
    return result != PAPI_ENOEVNT && first_name(names, name, try_alone, NULL) == PAPI_OK;
}

/* PAPI's component is up on machines that have no PMU, and says of every event that it does not exist; it
 * says the same of every preset on a CPU that it does not know. */
static void refuse(counter_slot *slot, const char *name, int result) {
    char text[200];
    machine m;
    machine_read(&m, NULL);
    slot->crowded = is_crowded(slot, result);
    papi_situation s = {.result = result,
                        .crowded = slot->crowded,
                        .native = slot->event->native != NULL,
                        .pmu = perf_try_pmu(),
                        .presets = papi_preset_count(),
                        .version = papi_library_version(),
                        .family = m.family,
                        .model = m.model};
    perf_surroundings_read(&s.around, NULL);
    papi_refusal(text, sizeof text, &s);
    counter_slot_refuse(slot, "papi", "%s: %s", name, text);
}

static void add_presets(papi_state *s, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count && s->events < EVENTS_MAX; i++) {
        if (!is_preset(&slots[i]))
            continue;
        int result = PAPI_add_named_event(s->set, slots[i].event->papi);
        if (result != PAPI_OK)
            refuse(&slots[i], slots[i].event->papi, result);
        else
            s->slot[s->events++] = i;
    }
}

static int add_name(void *context, const char *name) {
    return PAPI_add_named_event(*(int *)context, name);
}

/* The first of its names that PAPI knows and that there is a counter for. */
static int add_native(papi_state *s, const counter_slot *slot, char name[EVENT_NAME_MAX]) {
    return first_name(slot->event->native, name, add_name, &s->set);
}

static void add_natives(papi_state *s, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count && s->events < EVENTS_MAX; i++) {
        char name[EVENT_NAME_MAX] = "";
        if (!has_native(&slots[i]))
            continue;
        int result = add_native(s, &slots[i], name);
        slots[i].native = result == PAPI_OK;
        if (result != PAPI_OK)
            refuse(&slots[i], slots[i].event->native, result);
        else
            snprintf(s->name[s->events], EVENT_NAME_MAX, "%s", name), s->slot[s->events++] = i;
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
        const char *name = last->native ? s->name[s->events] : last->event->papi;
        last->native = false;
        refuse(last, name, result);
        PAPI_remove_named_event(s->set, name);
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
    add_presets(s, slots, count);
    add_natives(s, slots, count);
    try_events(s, slots);
    for (int i = 0; i < s->events; i++)
        slots[s->slot[i]].source = &counter_source_papi;
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
