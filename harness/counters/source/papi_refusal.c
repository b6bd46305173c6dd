#include "harness/counters/source/papi_refusal.h"

#include <papi.h>
#include <stdio.h>
#include <string.h>

/* Presets are PAPI's own list, family by family: a new CPU has none until PAPI is taught. */
static void no_presets(char *text, size_t size, const papi_situation *s) {
    char cpu[48] = "";
    if (s->family >= 0 && s->model >= 0)
        snprintf(cpu, sizeof cpu, " (family %d, model %d)", s->family, s->model);
    snprintf(text, size,
             "Event does not exist: PAPI %s has no presets at all for this CPU%s; a newer PAPI may, and "
             "--counters perf counts without",
             s->version, cpu);
}

/* NULL before PAPI has started. */
static const char *words_of(int result) {
    const char *words = PAPI_strerror(result);
    return words ? words : "PAPI refuses";
}

static void conflict(char *text, size_t size, const papi_situation *s) {
    snprintf(text, size, "no counter is left next to the events before it%s",
             s->around.watchdog ? "; the NMI watchdog holds one, sysctl kernel.nmi_watchdog=0 frees it" : "");
}

bool papi_refusal(char *text, size_t size, const papi_situation *s) {
    bool of_event = false;
    if (s->crowded || s->result == PAPI_ECNFLCT)
        conflict(text, size, s);
    else if (s->result != PAPI_ENOEVNT && !s->native)
        of_event = snprintf(text, size, "%s", words_of(s->result));
    else if (s->pmu)
        perf_refusal(text, size, s->pmu, &s->around);
    else if (s->native)
        of_event = snprintf(text, size, "%s (no such native event for this CPU)", words_of(s->result));
    else if (!s->presets)
        no_presets(text, size, s);
    else
        of_event = snprintf(text, size, "%s (this CPU has %zu other presets, not this one)",
                            words_of(s->result), s->presets);
    return of_event;
}

/* PAPI looks at the number alone, so that CAP_PERFMON does not help it. */
bool papi_disabled(char *text, size_t size, const char *reason, const perf_surroundings *around) {
    bool forbidden = around->paranoid > 2 && strstr(reason, "paranoid");
    if (forbidden)
        snprintf(text, size,
                 "%.120s; sysctl kernel.perf_event_paranoid=2 allows it (PAPI does not heed CAP_PERFMON)",
                 reason);
    else
        snprintf(text, size, "%.200s", reason);
    return forbidden;
}
