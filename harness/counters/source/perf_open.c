#include "harness/counters/source/perf_open.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ask(struct perf_event_attr *attributes, int leader) {
    return (int)syscall(SYS_perf_event_open, attributes, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

int perf_open_event(const perf_code *code, int leader, uint64_t read_format) {
    struct perf_event_attr attributes = {.size = sizeof attributes,
                                         .type = code->type,
                                         .config = code->config,
                                         .config1 = code->config1,
                                         .config2 = code->config2,
                                         .disabled = leader < 0,
                                         .pinned = leader < 0,
                                         .exclude_kernel = code->type != PERF_TYPE_SOFTWARE,
                                         .exclude_hv = 1,
                                         .read_format = read_format};
    int fd = ask(&attributes, leader), why = errno;
    if (fd >= 0 || (why != EOPNOTSUPP && why != EINVAL))
        return fd;
    attributes.exclude_guest = 1;
    fd = ask(&attributes, leader);
    if (fd < 0 && why == EINVAL)
        errno = why;
    return fd;
}

bool perf_counts_alone(const perf_code *code) {
    uint64_t value;
    int fd = perf_open_event(code, -1, 0);
    if (fd < 0)
        return false;
    bool counted = !ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) && !ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) &&
                   read(fd, &value, sizeof value) == (ssize_t)sizeof value;
    close(fd);
    return counted;
}
