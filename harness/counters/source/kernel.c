#define _GNU_SOURCE /* RUSAGE_THREAD */
/* Source "kernel": what the kernel accounts to every thread. Works everywhere; a 0 here was counted. */
#include "harness/counters/counter_source.h"

#include "attn/alloc.h"

#include <string.h>
#include <sys/resource.h>

typedef struct kernel_state {
    struct rusage before, after;
} kernel_state;

static const struct {
    const char *event;
    size_t offset; /* of a long in struct rusage */
} fields[] = {
    {"page_faults_minor", offsetof(struct rusage, ru_minflt)},
    {"page_faults_major", offsetof(struct rusage, ru_majflt)},
    {"context_switches_voluntary", offsetof(struct rusage, ru_nvcsw)},
    {"context_switches_involuntary", offsetof(struct rusage, ru_nivcsw)},
};

static int field_of(const counter_event *event) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!strcmp(event->name, fields[i].event))
            return (int)i;
    return -1;
}

static int kernel_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    *state = attn_alloc(1, sizeof(kernel_state), "kernel counters", error);
    if (!*state)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!slots[i].source && field_of(slots[i].event) >= 0)
            slots[i].source = &counter_source_kernel;
    return 0;
}

static void kernel_start(void *state) {
    getrusage(RUSAGE_THREAD, &((kernel_state *)state)->before);
}

static void kernel_stop(void *state, double declared) {
    (void)declared;
    getrusage(RUSAGE_THREAD, &((kernel_state *)state)->after);
}

static long value_at(const struct rusage *usage, size_t offset) {
    long value;
    memcpy(&value, (const char *)usage + offset, sizeof value);
    return value;
}

static void kernel_read(void *state, counter_slot *slots, size_t count) {
    const kernel_state *s = state;
    for (size_t i = 0; i < count; i++) {
        if (slots[i].source != &counter_source_kernel)
            continue;
        size_t offset = fields[field_of(slots[i].event)].offset;
        slots[i].value = (double)(value_at(&s->after, offset) - value_at(&s->before, offset));
        slots[i].known = true;
    }
}

const counter_source counter_source_kernel = {.name = "kernel",
                                              .open = kernel_open,
                                              .start = kernel_start,
                                              .stop = kernel_stop,
                                              .read = kernel_read,
                                              .close = attn_free};
