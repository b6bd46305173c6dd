#include "harness/counters/source/perf_group.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { READ_FORMAT = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING };

int perf_group_add(perf_group *group, const perf_code *code) {
    if (group->events == PERF_GROUP_MAX) {
        errno = ENOSPC;
        return -1;
    }
    int fd = perf_open_event(code, group->events ? group->fd[0] : -1, READ_FORMAT);
    if (fd < 0)
        return -1;
    group->fd[group->events++] = fd;
    return 0;
}

void perf_group_drop_last(perf_group *group) {
    close(group->fd[--group->events]);
}

void perf_group_close(perf_group *group) {
    while (group->events)
        perf_group_drop_last(group);
}

static bool control(const perf_group *group, unsigned long what) {
    return !ioctl(group->fd[0], what, PERF_IOC_FLAG_GROUP);
}

/* A pinned group that lost its counters is in the error state, and reads as nothing. */
static bool read_group(const perf_group *group, perf_group_reading *reading) {
    return read(group->fd[0], reading, sizeof *reading) > 0 && reading->events == (uint64_t)group->events;
}

/* Enabling is the one way out of the error state: nothing else makes such a group readable again. */
static bool leave_error(const perf_group *group) {
    return control(group, PERF_EVENT_IOC_ENABLE) && control(group, PERF_EVENT_IOC_DISABLE);
}

void perf_group_start(perf_group *group) {
    group->counted =
        (read_group(group, &group->before) || (leave_error(group) && read_group(group, &group->before))) &&
        control(group, PERF_EVENT_IOC_RESET) && control(group, PERF_EVENT_IOC_ENABLE);
}

/* A group that had its counters for a part of the region only would have to be scaled: not known instead. */
void perf_group_stop(perf_group *group) {
    const perf_group_reading *before = &group->before, *after = &group->after;
    group->counted = control(group, PERF_EVENT_IOC_DISABLE) && group->counted &&
                     read_group(group, &group->after) && after->running > before->running &&
                     after->running - before->running == after->enabled - before->enabled;
}
