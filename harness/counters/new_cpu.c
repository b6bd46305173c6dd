#define _GNU_SOURCE /* sched_getcpu, strerrorname_np */
#include "harness/counters/new_cpu.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "base/text/table_write.h"
#include "base/text/utf8.h"
#include "harness/counters/counters_tables.h"
#include "harness/counters/cpu_identity.h"
#include "harness/counters/new_cpu_mend.h"
#include "harness/counters/source/papi_library.h"
#include "harness/counters/source/perf_events.h"
#include "harness/counters/source/perf_refusal.h"
#include "harness/counters/validate/validate.h"
#include "harness/machine/blas.h"
#include "harness/machine/machine.h"

#include "attn/cpu.h"

#include <cblas.h>
#include <dirent.h>
#include <errno.h>
#include <papi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const table_column fact_columns[] = {{"what", "What", NULL}, {"value", "Value", NULL}, {0}};

static void add(text_table *t, const char *what, json_t *value) {
    table_add(t, value ? json_pack("{ss so}", "what", what, "value", value) : NULL);
}

/* Text of the system, which need not be UTF-8. */
static json_t *text(const char *value) {
    return utf8_json(*value ? value : "unknown");
}

static int finish(text_table *t, attn_error *error) {
    int result = table_write(t, TABLE_MD, stdout, error);
    table_free(t);
    putchar('\n');
    return result;
}

/* ---- The CPU */

/* Lines of /proc/cpuinfo that say what CPU it is: x86's, then arm64's. */
static bool names_the_cpu(const char *line) {
    static const char *const keys[] = {
        "vendor_id", "cpu family",      "model",       "stepping", "microcode",        "flags",
        "bugs",      "CPU implementer", "CPU variant", "CPU part", "CPU architecture", "CPU revision",
        "Features",  "cpu MHz"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strncmp(line, keys[i], strlen(keys[i])))
            return true;
    return false;
}

static void add_cpuinfo(text_table *t) {
    char *line = NULL;
    size_t room = 0;
    FILE *stream = fopen("/proc/cpuinfo", "r");
    while (stream && getline(&line, &room, stream) > 1) {
        char *colon = strchr(line, ':');
        if (!colon || !names_the_cpu(line))
            continue;
        char *end = colon;
        while (end > line && (end[-1] == '\t' || end[-1] == ' '))
            end--;
        *end = '\0';
        colon += 1 + strspn(colon + 1, " ");
        colon[strcspn(colon, "\n")] = '\0';
        add(t, line, text(colon));
    }
    if (stream)
        fclose(stream);
    free(line);
}

static int write_cpu(const machine *m, attn_error *error) {
    text_table t;
    table_init(&t, "CPU and kernel", fact_columns);
    char identity[96];
    cpu_identity(identity, sizeof identity, sched_getcpu());
    add(&t, "identity, for cpu: of groups", text(identity[0] ? identity : "not said by the system"));
    add_cpuinfo(&t);
    for (size_t i = 0; i < m->caches; i++)
        add(&t, "cache",
            json_sprintf("L%d %s, %zu KiB, shared by %d", m->cache[i].level, m->cache[i].type,
                         m->cache[i].bytes >> 10, m->cache[i].sharing));
    if (!m->caches)
        add(&t, "caches", json_string("unknown: the kernel does not report their sizes"));
    add(&t, "CPUs online", json_sprintf("%d, %s", m->cpus, m->architecture));
    add(&t, "hypervisor", text(m->hypervisor[0] ? m->hypervisor : "none seen"));
    add(&t, "kernel", text(m->kernel));
    return finish(&t, error);
}

/* ---- The kernel's counters */

static json_t *devices(void) {
    char list[512] = "";
    DIR *folder = opendir("/sys/bus/event_source/devices");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] != '.')
            text_list(list, sizeof list, ", ", "%s", entry->d_name);
    }
    if (folder)
        closedir(folder);
    return text(list[0] ? list : "none");
}

static int write_kernel(const perf_surroundings *around, int pmu, attn_error *error) {
    text_table t;
    char why[160];
    table_init(&t, "The kernel's counters", fact_columns);
    perf_refusal(why, sizeof why, pmu, around);
    add(&t, "PMU", text(pmu ? why : "the kernel counts cycles or instructions"));
    add(&t, "event sources", devices());
    add(&t, "perf_event_paranoid",
        around->paranoid == PERF_NO_KERNEL_SUPPORT ? text("no perf events in this kernel")
                                                   : json_integer(around->paranoid));
    add(&t, "NMI watchdog", text(around->watchdog ? "on: it holds a counter" : "off, or there is none"));
    return finish(&t, error);
}

/* Events of one fate in one row: what they read, or why they did not. */
static void add_event(text_table *t, const char *name, const char *opened, double value, const char *why) {
    char text[80];
    snprintf(text, sizeof text, value >= 0 ? "%s %.0f" : "%s", name, value);
    for (size_t i = 0; i < json_array_size(t->rows); i++) {
        json_t *row = json_array_get(t->rows, i);
        if (!strcmp(json_text(row, "opened"), opened) && !strcmp(json_text(row, "why"), why)) {
            json_object_set_new(row, "events", json_sprintf("%s, %s", json_text(row, "events"), text));
            return;
        }
    }
    table_add(t, json_pack("{ss ss ss*}", "opened", opened, "events", text, "why", *why ? why : NULL));
}

/* Of each alone; `refused` names those that the kernel does not know. */
static void try_events(text_table *t, const perf_surroundings *around, char *refused, size_t size) {
    static const table_column columns[] = {
        {"opened", "Opened", NULL}, {"events", "Events and what they read", NULL}, {"why", "Why", NULL}, {0}};
    table_init(t, "Generic events, each alone, around a loop of a million turns", columns);
    for (size_t i = 0; i < perf_generic_event_count; i++) {
        double value = -1;
        char why[160] = "";
        const perf_generic_event *event = &perf_generic_events[i];
        int code = perf_try_event(event, &value);
        const char *name = code ? strerrorname_np(code) : NULL;
        if (code || value < 0)
            perf_refusal(why, sizeof why, code, around);
        if (code == ENOENT || code == EINVAL || code == EOPNOTSUPP)
            text_list(refused, size, ", ", "%s", event->name);
        add_event(t, event->name, code ? (name ? name : "error") : "yes", value, why);
    }
}

/* ---- PAPI */

static json_t *component(const PAPI_component_info_t *info) {
    char pmus[200] = "";
    for (size_t i = 0; i < PAPI_PMU_MAX && info->pmu_names[i]; i++)
        text_append(pmus, sizeof pmus, "%s%s", i ? ", " : " (", info->pmu_names[i]);
    if (info->disabled)
        return json_sprintf("disabled: %s",
                            info->disabled_reason[0] ? info->disabled_reason : PAPI_strerror(info->disabled));
    return json_sprintf("on, %d counters, %d native events, %d presets%s%s", info->num_cntrs,
                        info->num_native_events, info->num_preset_events, pmus, *pmus ? ")" : "");
}

static void add_presets(text_table *t) {
    char list[3000] = "";
    size_t count = 0, all = 0;
    int code = (int)PAPI_PRESET_MASK;
    do {
        char name[PAPI_MAX_STR_LEN];
        all++;
        if (PAPI_query_event(code) != PAPI_OK || PAPI_event_code_to_name(code, name) != PAPI_OK)
            continue;
        text_append(list, sizeof list, "%s%s", count++ ? ", " : ": ", name);
    } while (PAPI_enum_event(&code, PAPI_ENUM_EVENTS) == PAPI_OK);
    add(t, "presets that exist", json_sprintf("%zu of %zu%s", count, all, list));
}

static int write_papi(attn_error *error) {
    text_table t;
    table_init(&t, "PAPI", fact_columns);
    const char *refusal = papi_library_start();
    const PAPI_hw_info_t *hardware = refusal ? NULL : PAPI_get_hardware_info();
    add(&t, "version", text(refusal ? refusal : papi_library_version()));
    if (hardware)
        add(&t, "the CPU, as PAPI sees it",
            json_sprintf("%s, %s, family %d, model %d, stepping %d", hardware->vendor_string,
                         hardware->model_string, hardware->cpuid_family, hardware->cpuid_model,
                         hardware->cpuid_stepping));
    for (int i = 0; !refusal && i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *info = PAPI_get_component_info(i);
        char what[80];
        snprintf(what, sizeof what, "component %.60s", info ? info->name : "?");
        if (info)
            add(&t, what, component(info));
    }
    if (!refusal)
        add_presets(&t);
    return finish(&t, error);
}

/* ---- OpenBLAS */

static int write_blas(const blas_state *b, attn_error *error) {
    text_table t;
    table_init(&t, "OpenBLAS", fact_columns);
    add(&t, "configuration", text(openblas_get_config()));
    add(&t, "core type",
        json_sprintf("%s%s", b->core,
                     b->chosen        ? ", as OPENBLAS_CORETYPE says"
                     : b->replaced[0] ? ", after a restart by attnbench"
                                      : ", its own choice"));
    add(&t, "vector instructions of the CPU", text(attn_isa_names[attn_cpu_detected()]));
    add(&t, "left unused by that core type",
        b->better ? json_sprintf("yes: OPENBLAS_CORETYPE=%s would use them", b->better) : json_string("no"));
    return finish(&t, error);
}

/* ---- Validation */

static const table_column metric_columns[] = {{"source", "Source", NULL},
                                              {"status", "Status", NULL},
                                              {"metrics", "Metrics", NULL},
                                              {"reason", "Reason", NULL},
                                              {0}};

static const char *without(const char *reason, const char *prefix) {
    size_t length = strlen(prefix);
    return length && !strncmp(reason, prefix, length) && !strncmp(reason + length, ": ", 2)
               ? reason + length + 2
               : reason;
}

/* Metrics of one source that have the same fate, in one row. */
static void add_metric(text_table *t, const json_t *metric, const counter_event *event) {
    const char *source = json_text(metric, "source"), *name = json_text(metric, "name");
    const char *reason = without(json_text(metric, "reason"), source);
    json_t *last = json_array_get(t->rows, json_array_size(t->rows) - 1);
    if (event && event->papi) {
        char first[COUNTER_AS_MAX];
        snprintf(first, sizeof first, "%.*s", (int)strcspn(event->papi, " "), event->papi);
        reason = without(reason, first);
    }
    if (last && !strcmp(json_text(last, "source"), source) &&
        !strcmp(json_text(last, "status"), json_text(metric, "status")) &&
        !strcmp(json_text(last, "reason"), reason))
        json_object_set_new(last, "metrics", json_sprintf("%s, %s", json_text(last, "metrics"), name));
    else
        table_add(t, json_pack("{ss ss ss ss*}", "source", source, "status", json_text(metric, "status"),
                               "metrics", name, "reason", *reason ? reason : NULL));
}

static int write_validation(const json_t *metrics, const counter_events_list *all, attn_error *error) {
    text_table t;
    size_t i;
    json_t *metric;
    table_init(&t, "Counters checked against kernels with known answers", metric_columns);
    json_array_foreach((json_t *)metrics, i, metric) {
        const counter_event *event = NULL;
        for (size_t e = 0; e < all->count; e++)
            if (!strcmp(all->events[e]->name, json_text(metric, "name")))
                event = all->events[e];
        add_metric(&t, metric, event);
    }
    return finish(&t, error);
}

/* ---- What follows */

static int write_summary(const machine *m, const new_cpu_facts *facts, attn_error *error) {
    text_table t;
    size_t count[VERDICT_UNAVAILABLE + 1], all = 0;
    json_t *build = machine_build_json();
    new_cpu_count(count, facts->metrics);
    for (size_t i = 0; i <= VERDICT_UNAVAILABLE; i++)
        all += count[i];
    printf("# %s\n\nReport of `attnbench info --new-cpu`, commit %s, %s. Of %zu hardware events %zu are "
           "counted right, %zu have nothing to be checked against, %zu are wrong.\n\n",
           m->cpu[0] ? m->cpu : "unknown CPU", json_text(build, "commit"), json_text(build, "compiler"), all,
           count[VERDICT_TRUSTED] + count[VERDICT_SCALED], count[VERDICT_UNCHECKED], count[VERDICT_REJECTED]);
    json_decref(build);
    new_cpu_mend(&t, facts);
    if (!json_array_size(t.rows))
        table_add(
            &t, json_pack("{ss ss}", "who", "nobody", "what", "all that was asked for counts, and is right"));
    return finish(&t, error);
}

int new_cpu_report(attn_error *error) {
    machine m;
    blas_state blas;
    text_table events;
    counter_events_list all;
    char refused[400] = "";
    new_cpu_facts facts = {.pmu = perf_try_pmu(), .not_generic = refused};
    machine_read(&m, NULL);
    blas_read(&blas);
    perf_surroundings_read(&facts.around, NULL);
    facts.around.pmu = !facts.pmu;
    facts.papi_refusal = papi_component_refusal("perf_event");
    facts.papi_version = papi_library_version();
    facts.presets = papi_preset_count();
    facts.library_knows = papi_library_knows_pmu();
    facts.blas_better = blas.better;
    counter_events_all(&all, NULL);
    json_t *metrics = validate_metrics("auto", all.events, all.count, error);
    if (!metrics)
        return -1;
    facts.metrics = metrics;
    try_events(&events, &facts.around, refused, sizeof refused);
    int result = write_summary(&m, &facts, error) || write_validation(metrics, &all, error) ||
                         finish(&events, error) || write_kernel(&facts.around, facts.pmu, error) ||
                         write_papi(error) || write_blas(&blas, error) || write_cpu(&m, error)
                     ? -1
                     : 0;
    table_free(&events); /* finish() did, unless a step before it failed */
    json_decref(metrics);
    return !result && (fflush(stdout) || ferror(stdout)) ? attn_fail(error, "output cannot be written")
                                                         : result;
}
