#define _GNU_SOURCE /* sched_getcpu */
/* Source "perf": events of the kernel's PMUs through perf_event_open(2), for CPUs that PAPI does not know but the
 * kernel does: the generic ones, and those of pmu_devices.h by name. What the calling thread does in user mode is
 * one group; an event that belongs to no thread (a socket's, energy) is a group of its own. */
#include "harness/counters/counter_source.h"
#include "harness/counters/source/perf_group.h"
#include "harness/counters/source/perf_refusal.h"
#include "harness/counters/source/pmu_devices.h"

#include "attn/alloc.h"
#include "attn/error.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <string.h>

enum { SINGLES_MAX = 8 };

typedef struct perf_state {
    perf_group own;
    size_t slot[PERF_GROUP_MAX]; /* event i of the group is this slot */
    double scale[PERF_GROUP_MAX];
    size_t singles;
    perf_group single[SINGLES_MAX];
    size_t single_slot[SINGLES_MAX];
    double single_scale[SINGLES_MAX];
} perf_state;

int perf_try_pmu(void) {
    static const uint64_t configs[] = {PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS};
    int why = 0;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        why = perf_try(&(perf_code){.type = PERF_TYPE_HARDWARE, .config = configs[i]});
        if (!why)
            return 0;
    }
    return why;
}

/* ---- Which event it is */

static bool is_generic(const counter_event *event) {
    return event->perf_type == PERF_TYPE_HARDWARE || event->perf_type == PERF_TYPE_HW_CACHE;
}

static pmu_event generic_event(const counter_event *event) {
    pmu_event found = {.code = {.type = (uint32_t)event->perf_type, .config = event->perf_config},
                       .scale = 1};
    if (is_generic(event))
        found.code.config |= (uint64_t)pmu_core_type(sched_getcpu()) << 32;
    return found;
}

/* The first of its names that the kernel's PMUs have here, else the generic event, whose name is "". */
static int find_event(pmu_event *found, char name[COUNTER_AS_MAX], const counter_event *event,
                      attn_error *error) {
    attn_error why = {0};
    for (const char *at = event->kernel ? event->kernel : ""; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length < COUNTER_AS_MAX) {
            memcpy(name, at, length);
            name[length] = '\0';
            if (!pmu_event_find(found, name, sched_getcpu(), &why))
                return 0;
        }
        at += length;
    }
    name[0] = '\0';
    if (event->perf_type < 0)
        return attn_fail_as(error, why.code, "%s", why.message);
    *found = generic_event(event);
    return 0;
}

/* The kernel has one word, EINVAL, for a group that needs more counters than there are and for an event that the CPU
 * lacks: asked for alone, only the second is refused again. */
static void refuse(counter_slot *slot, const perf_code *code, int why) {
    perf_surroundings around;
    char text[160];
    perf_surroundings_read(&around, NULL);
    around.everybody = code->everybody;
    around.pmu = !perf_try_pmu();
    around.crowded = (why == 0 || why == EINVAL || why == ENOSPC) && perf_counts_alone(code);
    perf_refusal(text, sizeof text, why, &around);
    slot->crowded = around.crowded;
    counter_slot_refuse(slot, "perf", "%s", text);
}

/* ---- Opening */

static int add_to_own(perf_state *s, const pmu_event *event, size_t slot) {
    if (perf_group_add(&s->own, &event->code))
        return -1;
    s->slot[s->own.events - 1] = slot;
    s->scale[s->own.events - 1] = event->scale;
    return 0;
}

static int add_single(perf_state *s, const pmu_event *event, size_t slot) {
    perf_group *group = &s->single[s->singles];
    if (s->singles == SINGLES_MAX) {
        errno = ENOSPC;
        return -1;
    }
    *group = (perf_group){0};
    if (perf_group_add(group, &event->code))
        return -1;
    s->single_slot[s->singles] = slot;
    s->single_scale[s->singles++] = event->scale;
    return 0;
}

static void open_event(perf_state *s, counter_slot *slots, size_t i) {
    attn_error why = {0};
    pmu_event event;
    if (find_event(&event, slots[i].as, slots[i].event, &why)) {
        if (!strchr(slots[i].event->kernel, '/') && perf_try_pmu())
            refuse(&slots[i], &event.code, ENOENT); /* no PMU of this CPU's cores has any */
        else
            counter_slot_refuse(&slots[i], "perf", "%s", why.message);
        return;
    }
    if (event.code.everybody ? add_single(s, &event, i) : add_to_own(s, &event, i)) {
        refuse(&slots[i], &event.code, errno);
        slots[i].as[0] = '\0';
    }
}

/* Intel's top-down events count only in a group that its slots lead. */
static bool leads(const counter_event *event) {
    return event->kernel && !strcmp(event->kernel, "slots");
}

static void open_events(perf_state *s, counter_slot *slots, size_t count) {
    for (int first = 1; first >= 0; first--)
        for (size_t i = 0; i < count; i++) {
            const counter_event *event = slots[i].event;
            if (!slots[i].source && (event->perf_type >= 0 || event->kernel) && leads(event) == (bool)first)
                open_event(s, slots, i);
        }
}

/* A group that could be opened may still never get its counters: drops the last event until a trial counts. */
static void try_own(perf_state *s, counter_slot *slots) {
    while (s->own.events) {
        perf_group_start(&s->own);
        perf_group_stop(&s->own);
        if (s->own.counted)
            return;
        counter_slot *last = &slots[s->slot[s->own.events - 1]];
        pmu_event event;
        perf_group_drop_last(&s->own);
        if (!find_event(&event, last->as, last->event, NULL))
            refuse(last, &event.code, 0);
        last->as[0] = '\0';
    }
}

static void perf_close(void *state) {
    perf_state *s = state;
    perf_group_close(&s->own);
    while (s->singles)
        perf_group_close(&s->single[--s->singles]);
    attn_free(s);
}

static int perf_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    perf_state *s = attn_alloc(1, sizeof *s, "perf counters", error);
    if (!s)
        return -1;
    open_events(s, slots, count);
    try_own(s, slots);
    for (int i = 0; i < s->own.events; i++)
        slots[s->slot[i]].source = &counter_source_perf;
    for (size_t i = 0; i < s->singles; i++)
        slots[s->single_slot[i]].source = &counter_source_perf;
    if (s->own.events || s->singles)
        *state = s;
    else
        perf_close(s);
    return 0;
}

/* ---- Counting */

static void perf_start(void *state) {
    perf_state *s = state;
    for (size_t i = 0; i < s->singles; i++)
        perf_group_start(&s->single[i]);
    if (s->own.events)
        perf_group_start(&s->own);
}

static void perf_stop(void *state, double declared) {
    perf_state *s = state;
    (void)declared;
    if (s->own.events)
        perf_group_stop(&s->own);
    for (size_t i = 0; i < s->singles; i++)
        perf_group_stop(&s->single[i]);
}

static void perf_read(void *state, counter_slot *slots, size_t count) {
    const perf_state *s = state;
    (void)count;
    for (int i = 0; i < s->own.events; i++) {
        slots[s->slot[i]].known = s->own.counted;
        slots[s->slot[i]].value = (double)s->own.after.value[i] * s->scale[i];
    }
    for (size_t i = 0; i < s->singles; i++) {
        slots[s->single_slot[i]].known = s->single[i].counted;
        slots[s->single_slot[i]].value = (double)s->single[i].after.value[0] * s->single_scale[i];
    }
}

const counter_source counter_source_perf = {.name = "perf",
                                            .open = perf_open,
                                            .start = perf_start,
                                            .stop = perf_stop,
                                            .read = perf_read,
                                            .close = perf_close,
                                            .splits = true};
