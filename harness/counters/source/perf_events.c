#include "harness/counters/source/perf_events.h"

#include "harness/counters/source/perf_open.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HARDWARE(name, config)                                                                               \
    { name, PERF_TYPE_HARDWARE, config }
#define CACHE(name, cache, op, result)                                                                       \
    {                                                                                                        \
        name, PERF_TYPE_HW_CACHE,                                                                            \
            PERF_COUNT_HW_CACHE_##cache | ((uint64_t)PERF_COUNT_HW_CACHE_OP_##op << 8) |                     \
                ((uint64_t)PERF_COUNT_HW_CACHE_RESULT_##result << 16)                                        \
    }

const perf_generic_event perf_generic_events[] = {
    HARDWARE("cycles", PERF_COUNT_HW_CPU_CYCLES),
    HARDWARE("instructions", PERF_COUNT_HW_INSTRUCTIONS),
    HARDWARE("ref-cycles", PERF_COUNT_HW_REF_CPU_CYCLES),
    HARDWARE("bus-cycles", PERF_COUNT_HW_BUS_CYCLES),
    HARDWARE("cache-references", PERF_COUNT_HW_CACHE_REFERENCES),
    HARDWARE("cache-misses", PERF_COUNT_HW_CACHE_MISSES),
    HARDWARE("branch-instructions", PERF_COUNT_HW_BRANCH_INSTRUCTIONS),
    HARDWARE("branch-misses", PERF_COUNT_HW_BRANCH_MISSES),
    HARDWARE("stalled-cycles-frontend", PERF_COUNT_HW_STALLED_CYCLES_FRONTEND),
    HARDWARE("stalled-cycles-backend", PERF_COUNT_HW_STALLED_CYCLES_BACKEND),
    CACHE("L1-dcache-loads", L1D, READ, ACCESS),
    CACHE("L1-dcache-load-misses", L1D, READ, MISS),
    CACHE("L1-dcache-stores", L1D, WRITE, ACCESS),
    CACHE("L1-icache-load-misses", L1I, READ, MISS),
    CACHE("LLC-loads", LL, READ, ACCESS),
    CACHE("LLC-load-misses", LL, READ, MISS),
    CACHE("dTLB-loads", DTLB, READ, ACCESS),
    CACHE("dTLB-load-misses", DTLB, READ, MISS),
    CACHE("iTLB-load-misses", ITLB, READ, MISS),
    CACHE("branch-loads", BPU, READ, ACCESS),
    CACHE("node-loads", NODE, READ, ACCESS),
    {"task-clock (ns, by software)", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
    {"page-faults (by software)", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
};
const size_t perf_generic_event_count = sizeof perf_generic_events / sizeof *perf_generic_events;

typedef struct reading {
    uint64_t value, enabled, running;
} reading;

int perf_try_event(const perf_generic_event *event, double *value) {
    reading r = {0};
    const perf_code code = {.type = event->type, .config = event->config};
    int fd = perf_open_event(&code, -1, PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING);
    if (fd < 0)
        return errno;
    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
    for (volatile int i = 0; i < PERF_TRIAL_TURNS; i++)
        ;
    ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
    int got = read(fd, &r, sizeof r) == (ssize_t)sizeof r && r.running > 0;
    close(fd);
    *value = got ? (double)r.value : -1;
    return 0;
}
