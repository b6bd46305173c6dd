/* Source "perf": the kernel's generic hardware events through perf_event_open(2), for CPUs that PAPI does not
 * know but the kernel does. Counts what the calling thread does in user mode. One pinned group, so that all
 * of it counts or none; never multiplexed. */
#include "harness/counters/counter_source.h"
#include "harness/counters/source/perf_open.h"
#include "harness/counters/source/perf_refusal.h"

#include "attn/alloc.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 16,
    READ_FORMAT = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING
};

/* As READ_FORMAT lays it out. */
typedef struct group_reading {
    uint64_t events, enabled, running;
    uint64_t value[EVENTS_MAX];
} group_reading;

typedef struct perf_state {
    int events;
    int fd[EVENTS_MAX]; /* fd[0] leads the group */
    size_t slot[EVENTS_MAX];
    bool counted;
    group_reading before, after;
} perf_state;

static perf_code code_of(const counter_event *event) {
    return (perf_code){.type = (uint32_t)event->perf_type, .config = event->perf_config};
}

int perf_try_pmu(void) {
    static const uint64_t configs[] = {PERF_COUNT_HW_CPU_CYCLES, PERF_COUNT_HW_INSTRUCTIONS};
    int why = 0;
    for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
        int fd = perf_open_event(&(perf_code){.type = PERF_TYPE_HARDWARE, .config = configs[i]}, -1, 0);
        if (fd >= 0) {
            close(fd);
            return 0;
        }
        why = errno;
    }
    return why;
}

/* The kernel has one word, EINVAL, for a group that needs more counters than there are and for an event that
 * the CPU lacks: asked for alone, only the second is refused again. */
static void refuse(counter_slot *slot, int why) {
    perf_surroundings around;
    char text[160];
    perf_code code = code_of(slot->event);
    perf_surroundings_read(&around, NULL);
    around.pmu = !perf_try_pmu();
    around.crowded = (why == 0 || why == EINVAL || why == ENOSPC) && perf_counts_alone(&code);
    perf_refusal(text, sizeof text, why, &around);
    slot->crowded = around.crowded;
    counter_slot_refuse(slot, "perf", "%s", text);
}

static void open_events(perf_state *s, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count && s->events < EVENTS_MAX; i++) {
        const counter_event *event = slots[i].event;
        if (slots[i].source || event->perf_type < 0)
            continue;
        perf_code code = code_of(event);
        int fd = perf_open_event(&code, s->events ? s->fd[0] : -1, READ_FORMAT);
        if (fd < 0) {
            refuse(&slots[i], errno);
            continue;
        }
        s->fd[s->events] = fd;
        s->slot[s->events++] = i;
    }
}

static bool control(const perf_state *s, unsigned long what) {
    return !ioctl(s->fd[0], what, PERF_IOC_FLAG_GROUP);
}

/* A pinned group that lost its counters is in the error state, and reads as nothing. */
static bool read_group(const perf_state *s, group_reading *reading) {
    return read(s->fd[0], reading, sizeof *reading) > 0 && reading->events == (uint64_t)s->events;
}

/* Enabling is the one way out of the error state: nothing else makes such a group readable again. */
static bool leave_error(const perf_state *s) {
    return control(s, PERF_EVENT_IOC_ENABLE) && control(s, PERF_EVENT_IOC_DISABLE);
}

static void perf_start(void *state) {
    perf_state *s = state;
    s->counted = (read_group(s, &s->before) || (leave_error(s) && read_group(s, &s->before))) &&
                 control(s, PERF_EVENT_IOC_RESET) && control(s, PERF_EVENT_IOC_ENABLE);
}

/* A group that had its counters for a part of the region only would have to be scaled: not known instead. */
static void perf_stop(void *state, double declared) {
    perf_state *s = state;
    (void)declared;
    s->counted = control(s, PERF_EVENT_IOC_DISABLE) && s->counted && read_group(s, &s->after) &&
                 s->after.running > s->before.running &&
                 s->after.running - s->before.running == s->after.enabled - s->before.enabled;
}

static void perf_read(void *state, counter_slot *slots, size_t count) {
    const perf_state *s = state;
    (void)count;
    for (int i = 0; i < s->events; i++) {
        slots[s->slot[i]].known = s->counted;
        slots[s->slot[i]].value = (double)s->after.value[i];
    }
}

/* A group that could be opened may still never get its counters: drops the last event until a trial counts.
 */
static void try_events(perf_state *s, counter_slot *slots) {
    while (s->events) {
        perf_start(s);
        perf_stop(s, 0);
        if (s->counted)
            return;
        refuse(&slots[s->slot[s->events - 1]], 0);
        close(s->fd[--s->events]);
    }
}

static void perf_close(void *state) {
    perf_state *s = state;
    while (s->events)
        close(s->fd[--s->events]);
    attn_free(s);
}

static int perf_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    perf_state *s = attn_alloc(1, sizeof *s, "perf counters", error);
    if (!s)
        return -1;
    open_events(s, slots, count);
    try_events(s, slots);
    for (int i = 0; i < s->events; i++)
        slots[s->slot[i]].source = &counter_source_perf;
    if (s->events)
        *state = s;
    else
        perf_close(s);
    return 0;
}

const counter_source counter_source_perf = {.name = "perf",
                                            .open = perf_open,
                                            .start = perf_start,
                                            .stop = perf_stop,
                                            .read = perf_read,
                                            .close = perf_close,
                                            .splits = true};
