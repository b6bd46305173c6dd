#include "harness/counters/source/perf_open.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ask(struct perf_event_attr *attributes, const perf_code *code, int leader) {
    return (int)syscall(SYS_perf_event_open, attributes, code->everybody ? -1 : 0,
                        code->everybody ? code->cpu : -1, leader, PERF_FLAG_FD_CLOEXEC);
}

int perf_open_event(const perf_code *code, int leader, uint64_t read_format) {
    bool user_only = code->type != PERF_TYPE_SOFTWARE && !code->everybody && !code->any_mode;
    struct perf_event_attr attributes = {.size = sizeof attributes,
                                         .type = code->type,
                                         .config = code->config,
                                         .config1 = code->config1,
                                         .config2 = code->config2,
                                         .disabled = leader < 0,
                                         .pinned = leader < 0 && !code->everybody,
                                         .exclude_kernel = user_only,
                                         .exclude_hv = user_only,
                                         .read_format = read_format};
    int fd = ask(&attributes, code, leader), why = errno;
    if (fd >= 0 || (why != EOPNOTSUPP && why != EINVAL))
        return fd;
    attributes.exclude_guest = 1;
    fd = ask(&attributes, code, leader);
    if (fd < 0 && why == EINVAL)
        errno = why;
    return fd;
}

int perf_try(const perf_code *code) {
    int fd = perf_open_event(code, -1, 0);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
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
