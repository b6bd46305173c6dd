/* Why PAPI does not count an event here, and what would change it. */
#ifndef HARNESS_COUNTERS_SOURCE_PAPI_REFUSAL_H
#define HARNESS_COUNTERS_SOURCE_PAPI_REFUSAL_H

#include "harness/counters/source/perf_refusal.h"

typedef struct papi_situation {
    int result;          /* what PAPI said: PAPI_ENOEVNT... */
    bool crowded;        /* the event counts when it is alone */
    bool native;         /* of a native event, not a preset */
    int pmu;             /* perf_try_pmu(): 0, or the errno */
    size_t presets;      /* that PAPI has for this CPU */
    const char *version; /* of PAPI */
    int family, model;   /* of the CPU, -1: unknown */
    perf_surroundings around;
} papi_situation;

/* One line on an event, and whether it is of that event alone: otherwise it is the same for all that PAPI is asked. */
bool papi_refusal(char *text, size_t size, const papi_situation *s);

/* One line on a whole component that is disabled, for the reason that PAPI gives, and whether an administrator can allow
 * it. */
bool papi_disabled(char *text, size_t size, const char *reason, const perf_surroundings *around);

#endif
