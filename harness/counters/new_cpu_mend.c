#include "harness/counters/new_cpu_mend.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "harness/counters/source/papi_refusal.h"

#include <errno.h>
#include <string.h>

static const table_column columns[] = {
    {"who", "Who", NULL}, {"what", "What", NULL}, {"concerns", "It concerns", NULL}, {0}};

static void add(text_table *t, const char *who, const char *what, const char *concerns) {
    table_add(t, json_pack("{ss ss ss*}", "who", who, "what", what, "concerns", *concerns ? concerns : NULL));
}

/* Names of the metrics of a source that have the status. */
static void names_of(char *names, size_t size, const json_t *metrics, const char *source,
                     const char *status) {
    size_t i;
    json_t *metric;
    names[0] = '\0';
    json_array_foreach((json_t *)metrics, i, metric) {
        if (!strncmp(json_text(metric, "source"), source, strlen(source)) &&
            !strcmp(json_text(metric, "status"), status))
            text_list(names, size, ", ", "%s", json_text(metric, "name"));
    }
}

static bool is_of_hardware(const json_t *metric) {
    return !strncmp(json_text(metric, "source"), "papi", 4) || json_text_is(metric, "source", "perf");
}

void new_cpu_count(size_t count[VERDICT_UNAVAILABLE + 1], const json_t *metrics) {
    json_t *best = json_object(), *metric, *known;
    const char *name;
    size_t i;
    memset(count, 0, (VERDICT_UNAVAILABLE + 1) * sizeof *count);
    json_array_foreach((json_t *)metrics, i, metric) {
        verdict_status status = verdict_named(json_text(metric, "status"));
        name = json_text(metric, "name");
        known = json_object_get(best, name);
        if (is_of_hardware(metric) && (!known || (json_int_t)status < json_integer_value(known)))
            json_object_set_new(best, name, json_integer(status));
    }
    json_object_foreach(best, name, known) {
        count[json_integer_value(known)]++;
    }
    json_decref(best);
}

static void without_pmu(text_table *t, const new_cpu_facts *f) {
    char why[200];
    perf_refusal(why, sizeof why, f->pmu, &f->around);
    bool forbidden = f->pmu == EACCES || f->pmu == EPERM;
    bool no_events = f->pmu == ENOSYS || f->around.paranoid == PERF_NO_KERNEL_SUPPORT;
    const char *who = forbidden                               ? "administrator"
                      : f->around.hypervisor[0] && !no_events ? "hypervisor"
                                                              : "kernel";
    add(t, who, why, "all hardware events, by PAPI and by perf");
}

static void of_papi(text_table *t, const new_cpu_facts *f) {
    char names[400], what[200];
    if (f->papi_refusal) {
        bool forbidden = papi_disabled(what, sizeof what, f->papi_refusal, &f->around);
        add(t, forbidden ? "administrator" : "PAPI", what,
            "all events by PAPI; --counters perf counts without");
        return;
    }
    if (!f->library_knows)
        add(t, "libpfm", "the one that PAPI uses does not know this CPU's PMU: it has no native events",
            "natives of groups, by PAPI");
    snprintf(what, sizeof what, "PAPI %s has no presets for this CPU", f->papi_version);
    names_of(names, sizeof names, f->metrics, "papi", "unavailable");
    if (!f->presets)
        add(t, "PAPI", what, names);
    else if (*names)
        add(t, "PAPI", "has other presets for this CPU, and none of these", names);
    names_of(names, sizeof names, f->metrics, "papi", "rejected");
    if (*names)
        add(t, "PAPI", "what these read is wrong: see below", names);
}

static void of_kernel(text_table *t, const new_cpu_facts *f) {
    char names[400];
    if (*f->not_generic)
        add(t, "kernel", "opens no such generic event on this CPU", f->not_generic);
    names_of(names, sizeof names, f->metrics, "perf", "rejected");
    if (*names)
        add(t, "kernel", "what these generic events read is wrong: see below", names);
    if (f->around.watchdog)
        add(t, "administrator", "the NMI watchdog holds a counter; sysctl kernel.nmi_watchdog=0 frees it",
            "groups that need all counters");
}

void new_cpu_mend(text_table *t, const new_cpu_facts *f) {
    table_init(t, "What has to be mended, and by whom", columns);
    if (f->pmu) {
        without_pmu(t, f);
    } else {
        of_papi(t, f);
        of_kernel(t, f);
    }
    if (f->blas_better) {
        char what[120];
        snprintf(what, sizeof what,
                 "leaves vector instructions of this CPU unused; OPENBLAS_CORETYPE=%s uses them",
                 f->blas_better);
        add(t, "OpenBLAS", what, "matrix products");
    }
}
