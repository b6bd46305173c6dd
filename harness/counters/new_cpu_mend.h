/* Who has to mend what keeps a CPU from being counted on: the hypervisor, the kernel, libpfm, PAPI, OpenBLAS, or whoever
 * administers the machine. */
#ifndef HARNESS_COUNTERS_NEW_CPU_MEND_H
#define HARNESS_COUNTERS_NEW_CPU_MEND_H

#include "base/text/table.h"
#include "harness/counters/source/perf_refusal.h"
#include "harness/counters/validate/judge_counter.h"

typedef struct new_cpu_facts {
    int pmu; /* perf_try_pmu(): 0, or the errno */
    perf_surroundings around;
    const char *papi_refusal; /* why PAPI's component for CPUs cannot be used; NULL: it can */
    const char *papi_version;
    size_t presets;          /* that PAPI has for this CPU */
    bool library_knows;      /* libpfm, which PAPI takes native events from, knows its PMU */
    const char *blas_better; /* the core type that OpenBLAS should have taken; NULL: none */
    const json_t *metrics;   /* of validate_metrics */
    const char *not_generic; /* generic events that the kernel does not open, a comma between; "" */
} new_cpu_facts;

/* Hardware events of each verdict. An event counts once, with the best verdict that any source has for it. */
void new_cpu_count(size_t count[VERDICT_UNAVAILABLE + 1], const json_t *metrics);

/* A row for each thing to mend: who, what, and what it concerns; none when all is well. Initializes the table. */
void new_cpu_mend(text_table *t, const new_cpu_facts *facts);

#endif
