/* This process next to a child that it hands work to in short turns: where both are on one CPU the way there and back
 * costs two switches, and on another one the wake-up of a CPU, or a wait for what else runs there. */
#ifndef BASE_PROCESS_STAY_H
#define BASE_PROCESS_STAY_H

#include <sched.h>
#include <stdbool.h>

typedef struct stay {
    cpu_set_t before;
    bool moved;
} stay;

/* On that CPU, until stay_end; nothing where it is negative or not allowed. */
void stay_on(stay *s, int cpu);
void stay_end(stay *s);

#endif
