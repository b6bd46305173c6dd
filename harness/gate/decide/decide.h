/* The gate's decision: what may be said of each case after its pairs. Pure functions; docs/gate-decision.md
 * has the reasons. Effects are natural logarithms of the ratio of candidate to base: above 0 is slower. */
#ifndef HARNESS_GATE_DECIDE_DECIDE_H
#define HARNESS_GATE_DECIDE_DECIDE_H

#include "harness/gate/decide/verdict.h"

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct gate_rule {
    double alpha;      /* chance that any case is called SLOWER that is not; likewise FASTER */
    double beta;       /* chance that a case is called SAME that is slower by min_effect or more */
    double min_effect; /* the smallest that counts */
} gate_rule;

#define GATE_ALPHA 0.01
#define GATE_BETA 0.05

/* What has been seen of a case. */
typedef struct gate_series {
    const double *effect; /* one a block: the mean of its two pairs. The order is tossed for by blocks, so
                             that their signs are independent under no effect, whatever the noise */
    size_t effects;
    const double *noise; /* of each block: one process of the base against the other */
    size_t noises;
} gate_series;

typedef struct gate_finding {
    gate_verdict verdict;
    bool settled; /* no more pairs are wanted */
    double estimate;
    double low, high; /* hold for all cases and looks at once, but for alpha on either side; of SAME: for all
                         looks at this case, but for beta on either side. Of SLOWER low, and of FASTER high,
                         is the bound of Holm's step: that it lies beyond the floor holds for all cases at
                         once, the number itself for the cases that were not found before */
    double p;         /* of no slow-down at all, this case and look alone */
    double noise;     /* what the base can differ from itself in this many pairs */
    double floor;     /* the larger of noise and the rule's min_effect */
} gate_finding;

/* How many pairs the first look takes, and the one after a look at `pairs`. Even, as pairs come in blocks of
 * two. 0: there is none, as what is undecided after GATE_MOST_PAIRS stays so (and the means of all pairs of
 * blocks would take ever more memory). */
enum { GATE_FIRST_LOOK = 12, GATE_MOST_PAIRS = 3000 };
size_t gate_next_look(size_t pairs);

/* When a look is taken. A look at too few pairs cannot find a case SLOWER or FASTER, and spends nothing of alpha. */
typedef struct gate_looks {
    double share;                 /* of the budget that is over by now, 0 to 1; 1 at the last look */
    double alpha_used, beta_used; /* parts of both that looks before it have spent; gate_look adds its own */
} gate_looks;

/* A look at the cases that are not settled. At the last one all become settled. -1 when memory is short, or an effect
 * is not a number. */
int gate_look(gate_finding *findings, const gate_series *series, size_t cases, const gate_rule *rule,
              gate_looks *looks, bool last, attn_error *error);

#endif
