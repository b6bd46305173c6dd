/* A pair of processes that take turns, alive for one case after the other. */
#ifndef HARNESS_GATE_DUO_H
#define HARNESS_GATE_DUO_H

#include "harness/run/partner.h"

typedef struct gate_duo {
    partner side[2];
    bool alive;
    size_t threads; /* that both were started for */
} gate_duo;

#endif
