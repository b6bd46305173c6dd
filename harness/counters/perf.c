/* Source "perf": the kernel's generic hardware events through perf_event_open(2), for CPUs that PAPI does not
 * know but the kernel does. One group, so that all of it counts or none; never multiplexed. */
#include "harness/counters/counter_source.h"

#include "attn/alloc.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EVENTS_MAX = 16 };

typedef struct perf_state {
    int events;
    int fd[EVENTS_MAX]; /* fd[0] leads the group */
    size_t slot[EVENTS_MAX];
    bool counted;
    /* PERF_FORMAT_GROUP: how many, time enabled, time running, values */
    uint64_t reading[3 + EVENTS_MAX];
} perf_state;

static int open_event(const counter_event *event, int leader) {
    struct perf_event_attr attributes = {.size = sizeof attributes,
                                         .type = (uint32_t)event->perf_type,
                                         .config = event->perf_config,
                                         .disabled = leader < 0,
                                         .exclude_kernel = 1,
                                         .exclude_hv = 1,
                                         .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
                                                        PERF_FORMAT_TOTAL_TIME_RUNNING};
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

static void refuse(counter_slot *slot, int why) {
    int paranoid = 0;
    FILE *stream = fopen("/proc/sys/kernel/perf_event_paranoid", "r");
    int read = stream && fscanf(stream, "%d", &paranoid) == 1;
    if (stream)
        fclose(stream);
    if (!stream || why == ENOSYS)
        counter_slot_refuse(slot, "perf", "this kernel has no perf events");
    else if (why == ENOENT || why == EOPNOTSUPP || why == ENODEV)
        counter_slot_refuse(slot, "perf",
                            "%s (no PMU in this virtual machine, or none that this kernel knows)",
                            strerror(why));
    else if ((why == EACCES || why == EPERM) && read)
        counter_slot_refuse(slot, "perf",
                            "%s (perf_event_paranoid is %d; sysctl kernel.perf_event_paranoid=2, or "
                            "CAP_PERFMON, allows it)",
                            strerror(why), paranoid);
    else if (why == EINVAL)
        counter_slot_refuse(slot, "perf", "no counter is left beside the events before it");
    else
        counter_slot_refuse(slot, "perf", "%s", strerror(why));
}

static void open_events(perf_state *s, counter_slot *slots, size_t count) {
    for (size_t i = 0; i < count && s->events < EVENTS_MAX; i++) {
        if (slots[i].source || slots[i].event->perf_type < 0)
            continue;
        int fd = open_event(slots[i].event, s->events ? s->fd[0] : -1);
        if (fd < 0) {
            refuse(&slots[i], errno);
            continue;
        }
        s->fd[s->events] = fd;
        s->slot[s->events++] = i;
    }
}

static void perf_start(void *state) {
    perf_state *s = state;
    s->counted = !ioctl(s->fd[0], PERF_EVENT_IOC_RESET, PERF_IOC_FLAG_GROUP) &&
                 !ioctl(s->fd[0], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

static void perf_stop(void *state, double declared) {
    perf_state *s = state;
    (void)declared;
    /* The two times go on from region to region and only agree while the group always had its counters. */
    s->counted = s->counted && !ioctl(s->fd[0], PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP) &&
                 read(s->fd[0], s->reading, sizeof s->reading) > 0 && s->reading[0] == (uint64_t)s->events &&
                 s->reading[1] == s->reading[2] && s->reading[2] > 0;
}

static void perf_read(void *state, counter_slot *slots, size_t count) {
    const perf_state *s = state;
    (void)count;
    for (int i = 0; i < s->events; i++) {
        slots[s->slot[i]].known = s->counted;
        slots[s->slot[i]].value = (double)s->reading[3 + i];
    }
}

/* A group that could be opened may still never get its counters (the NMI watchdog, another program): drops
 * the last event until a trial run counts. */
static void try_events(perf_state *s, counter_slot *slots) {
    while (s->events) {
        perf_start(s);
        perf_stop(s, 0);
        if (s->counted)
            return;
        counter_slot_refuse(&slots[s->slot[s->events - 1]], "perf",
                            "no counter is free (kernel.nmi_watchdog=0 frees one; another program may hold "
                            "the rest)");
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

const counter_source counter_source_perf = {"perf", perf_open, perf_start, perf_stop, perf_read, perf_close};
