/* Pairs for the gate's decision that are made up, not measured. */
#ifndef TESTS_SUPPORT_MADE_PAIRS_H
#define TESTS_SUPPORT_MADE_PAIRS_H

#include "harness/gate/decide/decide.h"

enum { MOST_BLOCKS = 1000 };

/* The gate's own, with effects from 2% on. */
static const gate_rule rule = {GATE_ALPHA, GATE_BETA, 0.019802627296179712}; /* log 1.02 */

typedef struct made_up {
    double effect[MOST_BLOCKS], noise[MOST_BLOCKS];
    size_t blocks;
} made_up;

static inline gate_series series_of(const made_up *m) {
    return (gate_series){m->effect, m->blocks, m->noise, m->blocks};
}

#endif
