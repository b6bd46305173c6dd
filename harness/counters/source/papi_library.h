/* What the two sources that go through PAPI share. */
#ifndef HARNESS_COUNTERS_SOURCE_PAPI_LIBRARY_H
#define HARNESS_COUNTERS_SOURCE_PAPI_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* Starts PAPI once. NULL, or why it is of no use here. */
const char *papi_library_start(void);

/* Why a component (PAPI's short or long name) can't be used: its own words; NULL when it can. */
const char *papi_component_refusal(const char *component);

/* "7.0.0": of the library that is loaded. */
const char *papi_library_version(void);

/* Presets that exist for this CPU, as PAPI says; whether they count is another matter. */
size_t papi_preset_count(void);

/* Whether PAPI's component for CPUs has a PMU other than the kernel's generic ones. */
bool papi_library_knows_pmu(void);

#endif
