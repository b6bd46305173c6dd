#include "reports/fleet/fleet.h"

#include "attn/alloc.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "harness/results/finished.h"
#include "harness/results/machines.h"
#include "reports/fleet/fleet_join.h"

#include <stdio.h>
#include <string.h>

const char *fleet_host(const fleet_machine *m) {
    return json_text(m->results.context, "host_name");
}

/* ---- machines */

static const char *cpu_of(const fleet_machine *m) {
    return results_text(&m->results, "machine.cpu", "unknown CPU");
}

enum { SHORT_NAME = 61 };

/* "Intel Xeon Platinum 8375C" of "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz": it stands in heads of columns. */
static void short_name(char to[SHORT_NAME], const fleet_machine *m) {
    const char *cpu = cpu_of(m);
    static const char *const words[] = {"(R)", "(TM)", "(tm)", " CPU", " Processor"};
    size_t length = 0;
    while (*cpu && strncmp(cpu, " @", 2) && length + 1 < SHORT_NAME) {
        size_t skip = 0;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (!strncmp(cpu, words[i], strlen(words[i])))
                skip = strlen(words[i]);
        if (!skip)
            to[length++] = *cpu;
        cpu += skip ? skip : 1;
    }
    to[length] = '\0';
}

static bool is_alone(const fleet *f, size_t at, bool with_host) {
    char own[SHORT_NAME], other[SHORT_NAME];
    short_name(own, &f->machine[at]);
    for (size_t i = 0; i < f->count; i++) {
        short_name(other, &f->machine[i]);
        if (i != at && !strcmp(other, own) &&
            (!with_host || !strcmp(fleet_host(&f->machine[i]), fleet_host(&f->machine[at]))))
            return false;
    }
    return true;
}

static void name_machine(fleet *f, size_t at) {
    fleet_machine *m = &f->machine[at];
    char cpu[SHORT_NAME];
    short_name(cpu, m);
    snprintf(m->name, sizeof m->name, "%s", cpu);
    if (!is_alone(f, at, false))
        text_append(m->name, sizeof m->name, " on %.20s", fleet_host(m));
    if (!is_alone(f, at, true))
        text_append(m->name, sizeof m->name, " (%zu)", at + 1);
    snprintf(m->folder, sizeof m->folder, "machine-%zu", at + 1);
    snprintf(m->key, sizeof m->key, "m%zu", at + 1);
    snprintf(m->speed_key, sizeof m->speed_key, "m%zu_of_base", at + 1);
}

/* Takes the results. Limits of a machine that is there, from a file of their own, are its own. */
static int add_machine(fleet *f, results *from, const char *file, attn_error *error) {
    int result = 0;
    for (size_t i = 0; i < f->count; i++)
        if (fleet_are_limits_of(from, &f->machine[i].results)) {
            result = fleet_join(&f->machine[i].results, from, file, error);
            results_free(from);
            return result;
        }
    if (f->count == FLEET_MAX) {
        results_free(from);
        return attn_fail(error, "%s: more than %d machines side by side", file, FLEET_MAX);
    }
    f->machine[f->count++] = (fleet_machine){.results = *from, .file = file};
    return 0;
}

static int read_file(fleet *f, const char *file, attn_error *error) {
    results from, part;
    char cpus[8];
    int result = 0;
    if (results_read_finished(&from, file, error))
        return -1;
    if (results_kinds(cpus, sizeof cpus, &from) == 1)
        return add_machine(f, &from, file, error);
    for (size_t i = 0; !result && i < results_machines(&from); i++)
        if (results_kind_of(&from, i) == i)
            result =
                results_of_kind(&part, &from, i, file, error) || add_machine(f, &part, file, error) ? -1 : 0;
    results_free(&from);
    return result;
}

/* ---- cases */

static int add_case(fleet *f, json_t *index, size_t machine, const measured *m, attn_error *error) {
    const json_t *known = json_object_get(index, m->c->name);
    size_t at = known ? (size_t)json_integer_value(known) : f->cases;
    if (!known && json_object_set_new(index, m->c->name, json_integer((json_int_t)f->cases++)))
        return attn_no_memory(error, "cases");
    f->list[at].name = m->c->name;
    f->list[at].of[machine] = m;
    return 0;
}

static int list_cases(fleet *f, attn_error *error) {
    size_t room = 0;
    for (size_t i = 0; i < f->count; i++)
        room += f->machine[i].data.count;
    f->list = attn_alloc(room, sizeof *f->list, "cases", error);
    json_t *index = json_object();
    int result = f->list && index ? 0 : attn_no_memory(error, "cases");
    for (size_t i = 0; !result && i < f->count; i++) {
        const report_data *data = &f->machine[i].data;
        for (size_t k = 0; !result && k < data->count; k++)
            if (strcmp(data->cases[k].c->kind, "machine") != 0)
                result = add_case(f, index, i, &data->cases[k], error);
    }
    json_decref(index);
    return result;
}

int fleet_read(fleet *f, const char *const *files, attn_error *error) {
    *f = (fleet){0};
    int result = 0;
    for (size_t i = 0; !result && files[i]; i++)
        result = read_file(f, files[i], error);
    for (size_t i = 0; !result && i < f->count; i++) {
        name_machine(f, i);
        result = report_data_init(&f->machine[i].data, &f->machine[i].results, error);
    }
    return result ? result : list_cases(f, error);
}

void fleet_free(fleet *f) {
    for (size_t i = 0; i < f->count; i++) {
        report_data_free(&f->machine[i].data);
        results_free(&f->machine[i].results);
    }
    attn_free(f->list);
    *f = (fleet){0};
}

/* ---- the base */

static int no_base(const fleet *f, const char *name, size_t found, attn_error *error) {
    char names[400] = "";
    for (size_t i = 0; i < f->count; i++)
        text_list(names, sizeof names, ", ", "\"%s\"", f->machine[i].name);
    return attn_fail(error, "--base %.80s: %s machine, expected one of %s", name,
                     found ? "more than one" : "no such", names);
}

int fleet_choose_base(fleet *f, const char *name, attn_error *error) {
    size_t found = 0;
    f->base = 0;
    for (size_t i = 0; name && i < f->count; i++) {
        const fleet_machine *m = &f->machine[i];
        if (!strcmp(m->name, name)) {
            f->base = i;
            return 0;
        }
        if (strcmp(fleet_host(m), name) && strcmp(m->file, name) && !strstr(m->name, name) &&
            !strstr(cpu_of(m), name))
            continue;
        f->base = i;
        found++;
    }
    return !name || found == 1 ? 0 : no_base(f, name, found, error);
}
