/* Holds counters of a CPU, as the NMI watchdog does: hold CPU N opens N pinned events for everybody on that CPU, which
 * come before those of any thread, prints "held N" when all of them count, and keeps them until it is killed. In the
 * emulated machine of make test-pmu. */
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Instructions: they can't have the counter that cycles have for themselves. */
static int open_pinned(int cpu) {
    struct perf_event_attr attributes = {.type = PERF_TYPE_HARDWARE,
                                         .size = sizeof attributes,
                                         .config = PERF_COUNT_HW_INSTRUCTIONS,
                                         .read_format =
                                             PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
                                         .pinned = 1};
    return (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* A pinned event that found no counter reads as the end of a file. */
static int is_held(int fd) {
    uint64_t words[3];
    return read(fd, words, sizeof words) == sizeof words && words[1] > 0 && words[1] == words[2];
}

int main(int argc, char **argv) {
    int cpu = argc > 1 ? atoi(argv[1]) : 0, count = argc > 2 ? atoi(argv[2]) : 0, held = 0;
    for (int i = 0; i < count; i++) {
        int fd = open_pinned(cpu);
        if (fd < 0) {
            perror("perf_event_open");
            return 1;
        }
        held += is_held(fd);
    }
    printf("held %d\n", held);
    fflush(stdout);
    while (held == count)
        pause();
    return 1;
}
