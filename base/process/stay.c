#define _GNU_SOURCE /* sched_getaffinity, sched_setaffinity */
#include "base/process/stay.h"

void stay_on(stay *s, int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    s->moved = cpu >= 0 && cpu < CPU_SETSIZE && !sched_getaffinity(0, sizeof s->before, &s->before);
    if (s->moved)
        CPU_SET((size_t)cpu, &one);
    s->moved = s->moved && !sched_setaffinity(0, sizeof one, &one);
}

void stay_end(stay *s) {
    if (s->moved)
        sched_setaffinity(0, sizeof s->before, &s->before);
    s->moved = false;
}
