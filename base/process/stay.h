/* This process on one CPU for a while. A parent that hands work to a child in short turns shares the child's CPU: then
 * a turn costs two switches, and not waking another CPU or waiting for what runs there. */
#ifndef BASE_PROCESS_STAY_H
#define BASE_PROCESS_STAY_H

#include <sched.h>
#include <stdbool.h>

typedef struct stay {
    cpu_set_t before;
    bool moved;
} stay;

/* Moves to that CPU until stay_end; does nothing where it is negative or not allowed. */
void stay_on(stay *s, int cpu);
void stay_end(stay *s);

#endif
