/* A PMU that is not there, for tests: preloaded, it answers perf_event_open(2) and what is done with its files as the
 * kernel does on a CPU with few counters. The values are invented (multiples of the thread's CPU time), so that only
 * whether something counts can be tested, not what. Set by the environment:
 *
 *   PERF_SHIM_COUNTERS=N     the CPU has N counters: a group of more is refused by EINVAL when it is opened (as on x86)
 *   PERF_SHIM_HELD=N         others hold N of them for ever: a group that finds too few left goes into the error state
 *                            when it is enabled, and reads 0 bytes until it is enabled again (as on every CPU)
 *   PERF_SHIM_EXCLUDE_GUEST  EOPNOTSUPP without exclude_guest (as Apple's CPUs)
 *   PERF_SHIM_TYPES=T:CPUS,…  core PMUs of a hybrid machine: events of type T, or generic ones for it, count only on
 *                            these CPUs (a number, or A-B)
 *   PERF_SHIM_STEADY         a region always counts the same, so that passes over one iteration each agree
 *   PERF_SHIM_VALUES=T:C=N,… with that, events of type T and configuration C count N
 *   PERF_SHIM_L3=SIZE        the size of the last cache, as /sys writes it; with a small one, loops that miss it are short
 *   PERF_SHIM_LOG=FILE       a line for every event that is opened
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 1024 };

typedef struct event {
    bool open, enabled, failed;
    struct perf_event_attr attributes;
    int leader;
    double counted, since, enabled_ns;
} event;
static event events[FILES];

static int setting(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text && *text ? atoi(text) : otherwise;
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static bool is_software(const event *e) {
    return e->attributes.type == PERF_TYPE_SOFTWARE;
}

static int members(int leader) {
    int count = 0;
    for (int i = 0; i < FILES; i++)
        count += events[i].open && events[i].leader == leader && !is_software(&events[i]);
    return count;
}

/* Whether an event of this type counts on this CPU: only hybrid machines have types that do not. */
static bool counts_here(const event *e) {
    const char *types = getenv("PERF_SHIM_TYPES");
    uint32_t type = e->attributes.type;
    if (!types || is_software(e))
        return true;
    if (type == PERF_TYPE_HARDWARE || type == PERF_TYPE_HW_CACHE)
        type = (uint32_t)(e->attributes.config >> 32);
    int cpu = sched_getcpu();
    for (const char *at = types; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        unsigned its, first, last;
        int got = sscanf(at, "%u:%u-%u", &its, &first, &last);
        if (got >= 2 && (its == type || (!type && at == types))) /* without a type: the first PMU's */
            return cpu >= (int)first && cpu <= (int)(got == 3 ? last : first);
    }
    return false;
}

static double rate(const event *e) {
    return 1 + (double)((e->attributes.config & 0xffffffff) % 7) + (e->attributes.type == PERF_TYPE_HARDWARE);
}

/* What PERF_SHIM_VALUES says of it; -1: nothing. */
static double value_of(const event *e) {
    for (const char *at = getenv("PERF_SHIM_VALUES"); at && *at;
         at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        unsigned type;
        unsigned long long config, value;
        if (sscanf(at, "%u:%llx=%llu", &type, &config, &value) == 3 && type == e->attributes.type &&
            config == e->attributes.config)
            return (double)value;
    }
    return -1;
}

static double counted_since(const event *e, double t) {
    if (!counts_here(e))
        return 0;
    if (getenv("PERF_SHIM_STEADY") && value_of(e) >= 0)
        return value_of(e);
    return (getenv("PERF_SHIM_STEADY") ? 1e6 : t - e->since) * rate(e);
}

static int open_event(const struct perf_event_attr *attributes, int leader) {
    const char *log = getenv("PERF_SHIM_LOG");
    FILE *to = log ? fopen(log, "a") : NULL;
    if (to) {
        fprintf(to, "type %u config 0x%llx config1 0x%llx leader %d\n", attributes->type,
                (unsigned long long)attributes->config, (unsigned long long)attributes->config1, leader);
        fclose(to);
    }
    bool software = attributes->type == PERF_TYPE_SOFTWARE;
    if (!software && getenv("PERF_SHIM_EXCLUDE_GUEST") && !attributes->exclude_guest)
        return errno = EOPNOTSUPP, -1;
    if (!software && (leader >= 0 ? members(leader) : 0) >= setting("PERF_SHIM_COUNTERS", 1000))
        return errno = EINVAL, -1;
    int fd = (int)memfd_create("perf shim", MFD_CLOEXEC);
    if (fd < 0 || fd >= FILES || ftruncate(fd, 1 << 20))
        return -1;
    events[fd] = (event){.open = true, .attributes = *attributes, .leader = leader >= 0 ? leader : fd};
    events[fd].enabled = leader >= 0 ? false : !attributes->disabled;
    return fd;
}

static int control(int fd, unsigned long what, unsigned long flags) {
    int leader = events[fd].leader;
    (void)flags;
    double t = now();
    bool fits = members(leader) <= setting("PERF_SHIM_COUNTERS", 1000) - setting("PERF_SHIM_HELD", 0);
    for (int i = 0; i < FILES; i++) {
        event *e = &events[i];
        if (!e->open || (fd == leader ? e->leader != leader : i != fd))
            continue;
        if (what == PERF_EVENT_IOC_RESET)
            e->counted = 0, e->since = t;
        if (what == PERF_EVENT_IOC_ENABLE && !e->enabled)
            e->failed = !fits, e->enabled = fits, e->since = t;
        if (what == PERF_EVENT_IOC_DISABLE && e->enabled) {
            e->counted += counted_since(e, t);
            e->enabled_ns += t - e->since;
            e->enabled = false;
        }
    }
    return 0;
}

static ssize_t read_event(int fd, void *to, size_t size) {
    const event *e = &events[fd];
    uint64_t words[2 + 2 + 64], format = e->attributes.read_format;
    size_t n = 0;
    if (events[e->leader].failed)
        return 0;
    double t = now(), running = e->enabled_ns + (e->enabled ? t - e->since : 0);
    if (format & PERF_FORMAT_GROUP)
        words[n++] = 0;
    else
        words[n++] = (uint64_t)(e->counted + (e->enabled ? counted_since(e, t) : 0));
    if (format & PERF_FORMAT_TOTAL_TIME_ENABLED)
        words[n++] = (uint64_t)running;
    if (format & PERF_FORMAT_TOTAL_TIME_RUNNING)
        words[n++] = (uint64_t)running;
    for (int i = 0; i < FILES && format & PERF_FORMAT_GROUP;
         i++) /* files are numbered in the order of opening */
        if (events[i].open && events[i].leader == fd) {
            double more = events[i].enabled ? counted_since(&events[i], t) : 0;
            words[0]++, words[n++] = (uint64_t)(events[i].counted + more);
            if (format & PERF_FORMAT_ID)
                words[n++] = (uint64_t)i;
        }
    size_t bytes = n * sizeof *words;
    if (bytes > size)
        return errno = ENOSPC, -1;
    memcpy(to, words, bytes);
    return (ssize_t)bytes;
}

static bool ours(int fd) {
    return fd >= 0 && fd < FILES && events[fd].open;
}

/* The C library's own; `function` is where a pointer to it goes. */
static void find(void *function, const char *name) {
    void *symbol;
    memcpy(&symbol, function, sizeof symbol);
    if (!symbol)
        symbol = dlsym(RTLD_NEXT, name);
    memcpy(function, &symbol, sizeof symbol);
}

long syscall(long number, ...) {
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_perf_event_open)
        return open_event((const struct perf_event_attr *)a[0], (int)a[3]);
    static long (*real)(long, ...);
    find(&real, "syscall");
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    unsigned long argument = va_arg(list, unsigned long);
    va_end(list);
    if (ours(fd))
        return control(fd, request, argument);
    static int (*real)(int, unsigned long, ...);
    find(&real, "ioctl");
    return real(fd, request, argument);
}

ssize_t read(int fd, void *to, size_t size) {
    if (ours(fd))
        return read_event(fd, to, size);
    static ssize_t (*real)(int, void *, size_t);
    find(&real, "read");
    return real(fd, to, size);
}

/* The C library's, but for the size of the last cache. */
FILE *fopen(const char *path, const char *mode) {
    static FILE *(*real)(const char *, const char *);
    char *size = getenv("PERF_SHIM_L3");
    find(&real, "fopen");
    return size && strstr(path, "/cache/index3/size") ? fmemopen(size, strlen(size), "r") : real(path, mode);
}

int close(int fd) {
    if (ours(fd))
        events[fd] = (event){0};
    static int (*real)(int);
    find(&real, "close");
    return real(fd);
}
