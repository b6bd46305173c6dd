/* attnbench info: what this machine and this build are, and which counters can be read. */
#include "base/text/append.h"
#include "base/text/json.h"
#include "base/text/json_write.h"
#include "base/text/table_write.h"
#include "bench/turns/turn_lines.h"
#include "cli/frame/command.h"
#include "harness/counters/counter_set.h"
#include "harness/counters/new_cpu.h"
#include "harness/counters/source/papi_library.h"
#include "harness/machine/blas.h"
#include "harness/machine/machine.h"

#include "attn/cpu.h"

#include <papi.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct facts {
    machine machine;
    blas_state blas;
    counter_set counters;
    char fingerprint[MACHINE_FINGERPRINT];
} facts;

static const table_column columns[] = {{"what", "What", NULL}, {"value", "Value", NULL}, {0}};

static void add(text_table *t, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(text_table *t, const char *what, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    table_add(t, json_pack("{ss ss}", "what", what, "value", text[0] ? text : "unknown"));
}

static void add_caches(text_table *t, const machine *m) {
    for (size_t i = 0; i < m->caches; i++) {
        const machine_cache *c = &m->cache[i];
        char what[48], size[32];
        snprintf(what, sizeof what, "L%d cache, %s", c->level,
                 !strcmp(c->type, "Data")          ? "data"
                 : !strcmp(c->type, "Instruction") ? "instructions"
                                                   : "unified");
        if (c->bytes < 1 << 20)
            snprintf(size, sizeof size, "%zu KiB", c->bytes >> 10);
        else
            snprintf(size, sizeof size, "%.4g MiB", (double)c->bytes / (1 << 20));
        if (c->sharing)
            add(t, what, "%s, shared by %d CPU%s", size, c->sharing, c->sharing == 1 ? "" : "s");
        else
            add(t, what, "%s", size);
    }
    if (!m->caches)
        add(t, "Caches", "unknown");
}

static void add_machine(text_table *t, const machine *m) {
    add(t, "CPU", "%s", m->cpu);
    if (m->family >= 0 && m->model >= 0)
        add(t, "Family, model", "%s, %d, %d", m->vendor, m->family, m->model);
    add(t, "CPUs online", "%d (%s)", m->cpus, m->architecture);
    if (attn_cpu_isa() == attn_cpu_detected())
        add(t, "Instruction set of the kernels", "%s (ATTN_CPU=base, avx2 or avx512 lowers it)", m->isa);
    else
        add(t, "Instruction set of the kernels", "%s, lowered by ATTN_CPU; the CPU has %s", m->isa,
            attn_isa_names[attn_cpu_detected()]);
    add_caches(t, m);
    if (m->memory_bytes)
        add(t, "Memory", "%.1f GiB", (double)m->memory_bytes / (1 << 30));
    add(t, "Kernel", "%s", m->kernel);
    add(t, "Hypervisor", "%s", m->hypervisor[0] ? m->hypervisor : "none seen");
    add(t, "Frequency governor", "%s", m->governor);
    add(t, "Transparent huge pages", "%s", m->huge_pages);
}

static void add_blas(text_table *t, const blas_state *b) {
    add(t, "BLAS", "%s", b->library);
    if (b->better && b->chosen)
        add(t, "BLAS core type",
            "%s, as OPENBLAS_CORETYPE says: leaves the CPU's %s unused (%s would use it)", b->core,
            attn_isa_names[attn_cpu_isa()], b->better);
    else if (b->better && b->replaced[0])
        add(t, "BLAS core type", "%s: leaves the CPU's %s unused, and this OpenBLAS has nothing better",
            b->core, attn_isa_names[attn_cpu_isa()]);
    else if (b->better)
        add(t, "BLAS core type",
            "%s: leaves the CPU's %s unused; commands that measure restart with OPENBLAS_CORETYPE=%s",
            b->core, attn_isa_names[attn_cpu_isa()], b->better);
    else
        add(t, "BLAS core type", "%s%s", b->core, b->chosen ? ", as OPENBLAS_CORETYPE says" : "");
    if (b->ignored[0])
        add(t, "OPENBLAS_CORETYPE",
            "%s, which this OpenBLAS does not take: the core type above is its own choice", b->ignored);
}

static void add_counters(text_table *t, const counter_set *set) {
    char list[400] = "";
    size_t missing = 0;
    for (size_t i = 0; i < set->count; i++) {
        const counter_slot *slot = &set->slots[i];
        if (slot->source)
            text_list(list, sizeof list, ", ", "%s", slot->event->name);
        else
            missing++;
    }
    add(t, "PAPI", "%s", papi_library_start() ? papi_library_start() : papi_library_version());
    add(t, "Counters", "%s", list[0] ? list : "none");
    if (missing)
        add(t, "Counters unavailable", "%zu; `attnbench counters list` says why", missing);
}

static void add_all(text_table *t, const facts *f) {
    json_t *build = machine_build_json();
    add_machine(t, &f->machine);
    add(t, "Compiler", "%s", json_text(build, "compiler"));
    add(t, "Compiler flags", "%s", json_text(build, "flags"));
    add(t, "Commit", "%s", json_text(build, "commit"));
    add_blas(t, &f->blas);
    add_counters(t, &f->counters);
    add(t, "Fingerprint", "%s", f->fingerprint);
    json_decref(build);
}

static json_t *counters_json(const counter_set *set) {
    json_t *object = json_object();
    for (size_t i = 0; object && i < set->count; i++) {
        const counter_slot *slot = &set->slots[i];
        json_object_set_new(object, slot->event->name,
                            slot->source ? json_pack("{ss}", "source", slot->source->name)
                                         : json_pack("{ss}", "unavailable", slot->reason));
    }
    return object;
}

/* The same objects as in a results file, and the counters. */
static int print_json(const facts *f, attn_error *error) {
    json_t *blas = blas_json(&f->blas, 1);
    if (blas && f->blas.better)
        json_object_set_new(blas, "better_core", json_string(f->blas.better));
    json_t *all =
        json_pack("{so so so ss so ss si}", "machine", machine_json(&f->machine), "build",
                  machine_build_json(), "blas", blas, "papi", papi_library_version(), "counters",
                  counters_json(&f->counters), "fingerprint", f->fingerprint, "turns", BENCH_TURNS_VERSION);
    int result = json_print(all, JSON_INDENT(2), "output", stdout, error);
    json_decref(all);
    return result;
}

static int print_text(const text_table *t, attn_error *error) {
    size_t i;
    json_t *row;
    if (!t->rows)
        return json_not_made(error, NULL, "text of this machine");
    json_array_foreach(t->rows, i, row) {
        printf("%-31s %s\n", json_text(row, "what"), json_text(row, "value"));
    }
    return 0;
}

static int print_facts(const facts *f, int format, attn_error *error) {
    text_table t;
    if (format == TABLE_JSON)
        return print_json(f, error);
    table_init(&t, NULL, columns);
    add_all(&t, f);
    int result = format < 0 ? print_text(&t, error) : table_write(&t, (table_format)format, stdout, error);
    table_free(&t);
    return result;
}

int cmd_info(int argc, char **argv) {
    char *word = NULL;
    int new_cpu = 0;
    struct poptOption options[] = {
        {"format", '\0', POPT_ARG_STRING, &word, 0, "md, csv or json instead of plain text", "FORMAT"},
        {"new-cpu", '\0', POPT_ARG_NONE, &new_cpu, 0,
         "all that a bug report for PAPI, the kernel or OpenBLAS needs, as Markdown to paste", NULL},
        POPT_TABLEEND};
    int status = STATUS_OK, format = -1;
    attn_error error = {0};
    facts f = {0};
    if (!command_options(argc, argv, "", "What this machine is, and what measuring on it can rely on.",
                         options, NULL, &status))
        return status;
    static const char *const formats[] = {"md", "csv", "json", NULL};
    if (word && (format = option_choice("--format", word, formats, &error)) < 0)
        goto fail;
    if (new_cpu && word) {
        attn_fail(&error, "--new-cpu prints Markdown, without --format");
        goto fail;
    }
    if (new_cpu) {
        if (new_cpu_report(&error))
            goto fail;
        return STATUS_OK;
    }
    machine_read(&f.machine, NULL);
    blas_read(&f.blas);
    blas_warn(argv[0], &f.blas);
    machine_fingerprint(f.fingerprint, &f.machine, f.blas.library, f.blas.core);
    if (counter_set_open(&f.counters, counter_sources("auto"), &error))
        goto fail;
    int result = print_facts(&f, format, &error);
    counter_set_close(&f.counters);
    if (!result)
        return STATUS_OK;
fail:
    return command_fail(argv[0], &error);
}
