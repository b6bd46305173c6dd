#include "harness/counters/source/pmu_devices.h"

#include "base/process/system_file.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *devices_folder(void) {
    const char *other = getenv(PMU_DEVICES_VARIABLE);
    return other && *other ? other : "/sys/bus/event_source/devices";
}

/* The first line of a file below a PMU's folder; false when there is none. */
static bool read_line(char *line, size_t size, const char *device, const char *folder, const char *name) {
    return system_file_line(line, size, "%s/%s/%s%s", devices_folder(), device, folder, name);
}

static bool read_type(const char *device, uint32_t *type) {
    char line[32];
    if (!read_line(line, sizeof line, device, "", "type"))
        return false;
    *type = (uint32_t)strtoul(line, NULL, 10);
    return true;
}

/* Whether "0-3,8" has the number. */
static bool list_has(const char *list, int number) {
    for (long first, last; system_list_next(&list, &first, &last);)
        if (number >= first && number <= last)
            return true;
    return false;
}

/* PMUs of cores have a list of their CPUs, `cpus`, or are the only one and named "cpu". */
static bool is_core(const char *device) {
    char cpus[256];
    return !strcmp(device, "cpu") || read_line(cpus, sizeof cpus, device, "", "cpus");
}

static bool is_core_of(const char *device, int cpu) {
    char cpus[256];
    return read_line(cpus, sizeof cpus, device, "", "cpus") ? list_has(cpus, cpu) : !strcmp(device, "cpu");
}

/* ---- Folders */

static int visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* Its entries in the order of names, to be freed one by one; 0 where there is none. */
static int list_folder(struct dirent ***entries, const char *device, const char *folder) {
    char path[512];
    snprintf(path, sizeof path, "%s%s%s%s%s", devices_folder(), device ? "/" : "", device ? device : "",
             folder ? "/" : "", folder ? folder : "");
    int count = scandir(path, entries, visible, alphasort);
    return count < 0 ? 0 : count;
}

static void free_folder(struct dirent **entries, int count) {
    for (int i = 0; i < count; i++)
        free(entries[i]);
    if (count)
        free(entries);
}

/* The PMU of this CPU's cores, and how many kinds of cores there are. */
static int find_core(char device[PMU_NAME_MAX], int cpu) {
    struct dirent **entries = NULL;
    int count = list_folder(&entries, NULL, NULL), cores = 0;
    device[0] = '\0';
    for (int i = 0; i < count; i++) {
        cores += is_core(entries[i]->d_name);
        if (!device[0] && is_core_of(entries[i]->d_name, cpu))
            snprintf(device, PMU_NAME_MAX, "%.63s", entries[i]->d_name);
    }
    free_folder(entries, count);
    return cores;
}

uint32_t pmu_core_type(int cpu) {
    char device[PMU_NAME_MAX];
    uint32_t type = 0;
    return find_core(device, cpu) > 1 && device[0] && read_type(device, &type) ? type : 0;
}

bool pmu_capability(double *value, const char *name, int cpu) {
    char device[PMU_NAME_MAX], line[32], *end = line;
    find_core(device, cpu);
    if (!device[0] || strchr(name, '/') || !read_line(line, sizeof line, device, "caps/", name))
        return false;
    *value = (double)strtoul(line, &end, 0);
    return end > line && !*end;
}

/* ---- Terms */

/* Puts the lowest bits of the value where the format file says: "config:0-7,32-35". */
static int place(perf_code *code, const char *format, uint64_t value) {
    uint64_t *to = !strncmp(format, "config:", 7)    ? &code->config
                   : !strncmp(format, "config1:", 8) ? &code->config1
                   : !strncmp(format, "config2:", 8) ? &code->config2
                                                     : NULL;
    const char *at = strchr(format, ':');
    if (!to || !at)
        return -1;
    at++;
    for (long first, last; system_list_next(&at, &first, &last);)
        for (long bit = first; bit <= last && bit < 64; bit++, value >>= 1)
            *to |= (value & 1) << bit;
    return value ? -1 : 0;
}

static int add_term(pmu_event *event, const char *term, attn_error *error) {
    char name[48], format[80], *end = NULL;
    size_t length = strcspn(term, "=");
    uint64_t value = term[length] ? strtoull(term + length + 1, &end, 0) : 1;
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), term);
    if (end && (end == term + length + 1 || *end))
        return attn_fail(error, "%s: %s: expected a number", event->device, term);
    if (!strcmp(name, "config") || !strcmp(name, "config1") || !strcmp(name, "config2"))
        snprintf(format, sizeof format, "%s:0-63", name);
    else if (strchr(name, '/') || !read_line(format, sizeof format, event->device, "format/", name))
        return attn_fail(error, "%s has no term %s", event->device, name);
    if (place(&event->code, format, value))
        return attn_fail(error, "%s: %s does not fit %s", event->device, term, format);
    return 0;
}

static int add_terms(pmu_event *event, const char *terms, attn_error *error) {
    char copy[PMU_TERMS_MAX], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", terms);
    for (char *term = strtok_r(copy, ",", &rest); term; term = strtok_r(NULL, ",", &rest))
        if (add_term(event, term, error))
            return -1;
    return 0;
}

/* ---- Events */

/* By its file; 1 where there is none. */
static int add_named(pmu_event *event, const char *name, attn_error *error) {
    char terms[PMU_TERMS_MAX], file[PMU_TERMS_MAX + 8], scale[32];
    if (strpbrk(name, "=,/") || !read_line(terms, sizeof terms, event->device, "events/", name))
        return 1;
    snprintf(file, sizeof file, "%s.scale", name);
    if (read_line(scale, sizeof scale, event->device, "events/", file))
        event->scale = strtod(scale, NULL);
    snprintf(file, sizeof file, "%s.unit", name);
    read_line(event->unit, sizeof event->unit, event->device, "events/", file);
    return add_terms(event, terms, error);
}

/* What belongs to no core counts for everybody, on one CPU of its list. */
static void set_scope(pmu_event *event) {
    char mask[256];
    event->code.any_mode = !is_core(event->device);
    if (read_line(mask, sizeof mask, event->device, "", "cpumask") && isdigit((unsigned char)mask[0])) {
        event->code.everybody = true;
        event->code.cpu = (int)strtol(mask, NULL, 10);
    }
}

int pmu_event_find(pmu_event *event, const char *text, int cpu, attn_error *error) {
    char what[PMU_TERMS_MAX];
    const char *slash = strchr(text, '/');
    *event = (pmu_event){.scale = 1};
    if (slash)
        snprintf(event->device, sizeof event->device, "%.*s", (int)(slash - text), text);
    else
        find_core(event->device, cpu);
    snprintf(what, sizeof what, "%s", slash ? slash + 1 : text);
    what[strcspn(what, "/")] = '\0';
    if (!event->device[0] || strstr(event->device, "..") || !read_type(event->device, &event->code.type))
        return slash ? attn_fail(error, "the kernel offers no PMU \"%s\"", event->device)
                     : attn_fail(error, "the kernel offers no PMU of this CPU's cores");
    set_scope(event);
    int result = add_named(event, what, error);
    if (result <= 0)
        return result;
    if (!slash)
        return attn_fail(error, "%s has no event %s", event->device, what);
    return add_terms(event, what, error);
}

static bool is_event_file(const char *name) {
    return !strstr(name, ".scale") && !strstr(name, ".unit") && !strstr(name, ".snapshot") &&
           !strstr(name, ".per-pkg");
}

static int visit_device(const char *device, int cpu, pmu_event_visitor *visit, void *context) {
    struct dirent **events = NULL;
    int count = list_folder(&events, device, "events"), result = 0;
    for (int i = 0; i < count && !result; i++) {
        char terms[PMU_TERMS_MAX];
        if (is_event_file(events[i]->d_name) &&
            read_line(terms, sizeof terms, device, "events/", events[i]->d_name))
            result = visit(context, device, events[i]->d_name, terms, is_core_of(device, cpu));
    }
    free_folder(events, count);
    return result;
}

int pmu_events_visit(int cpu, pmu_event_visitor *visit, void *context) {
    struct dirent **devices = NULL;
    int count = list_folder(&devices, NULL, NULL), result = 0;
    for (int i = 0; i < count && !result; i++)
        result = visit_device(devices[i]->d_name, cpu, visit, context);
    free_folder(devices, count);
    return result;
}
