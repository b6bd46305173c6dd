/* Which machines these are, and which of them was disturbed. */
#include "base/text/json.h"
#include "reports/data/rounding.h"
#include "reports/fleet/compared.h"
#include "reports/fleet/fleet_tables.h"

static json_t *fact(const fleet_machine *m, const char *path) {
    json_t *value = (json_t *)json_at(m->results.own, path);
    return value ? json_incref(value) : json_null();
}

static json_t *bytes_of(const fleet_machine *m, const char *path) {
    char text[32];
    double bytes = json_number_value(json_at(m->results.own, path));
    bytes_text(text, sizeof text, bytes);
    return bytes > 0 ? json_string(text) : json_null();
}

static void add_trouble(json_t *row, const fleet_machine *m) {
    measured_samples all = measured_all_samples(&m->data);
    json_object_set_new(row, "cases", json_integer((json_int_t)m->data.count));
    json_object_set_new(row, "failed", json_integer((json_int_t)measured_all_checks(&m->data).failed));
    json_object_set_new(row, "samples", json_integer((json_int_t)all.count));
    json_object_set_new(row, "disturbed", json_integer((json_int_t)all.disturbed));
    json_object_set_new(row, "lost_percent", four_digits(100 * all.lost));
}

static const struct {
    const char *key, *header, *path;
} facts[] = {{"isa", "kernels", "machine.isa"},
             {"blas", "BLAS core", "blas.core"},
             {"kernel", "kernel", "machine.kernel"},
             {"hypervisor", "hypervisor", "machine.hypervisor"},
             {"governor", "governor", "machine.governor"},
             {"huge_pages", "huge pages", "machine.huge_pages"},
             {"compiler", "compiler", "build.compiler"},
             {"commit", "commit", "commit"},
             {"plan", "plan", "plan"}};
static const struct {
    const char *key, *header, *path;
} sizes[] = {{"l1d", "L1d", "machine.l1d_bytes"},
             {"l2", "L2", "machine.l2_bytes"},
             {"l3", "L3", "machine.l3_bytes"},
             {"memory", "memory", "machine.memory_bytes"}};

static void add_machine(report_table *t, const fleet *f, size_t at) {
    const fleet_machine *m = &f->machine[at];
    json_t *cpus = json_object_get(m->results.context, "num_cpus");
    json_t *row =
        json_pack("{s:s, s:s, s:s, s:O*, s:o}", "machine", m->name, "is_base", at == f->base ? "base" : "",
                  "host", fleet_host(m), "cpus", cpus, "ghz", four_digits(fleet_clock(m)));
    for (size_t i = 0; row && i < sizeof sizes / sizeof *sizes; i++)
        json_object_set_new(row, sizes[i].key, bytes_of(m, sizes[i].path));
    for (size_t i = 0; row && i < sizeof facts / sizeof *facts; i++)
        json_object_set_new(row, facts[i].key, fact(m, facts[i].path));
    if (row) {
        json_object_set(row, "date", json_object_get(m->results.context, "date"));
        json_object_set_new(row, "file", json_string(m->file));
        add_trouble(row, m);
    }
    table_add(&t->t, row);
}

void table_fleet_machines(report_table *t, const fleet *f) {
    report_table_init(t, "The machines");
    report_column(t, "machine", "machine");
    report_column(t, "is_base", "base");
    report_column(t, "host", "host");
    report_column(t, "cases", "cases");
    report_column(t, "failed", "failed");
    report_column(t, "samples", "samples");
    report_column(t, "disturbed", "disturbed");
    report_column(t, "lost_percent", "%% lost");
    report_column(t, "cpus", "CPUs");
    report_column(t, "ghz", "GHz measured");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        report_column(t, sizes[i].key, "%s", sizes[i].header);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        report_column(t, facts[i].key, "%s", facts[i].header);
    report_column(t, "date", "date");
    report_column(t, "file", "file");
    report_column_in_files(t);
    for (size_t i = 0; i < f->count; i++)
        add_machine(t, f, i);
    snprintf(t->note, sizeof t->note,
             "Disturbed samples lost over 1%% of their wall clock, or had a page read from disk; %% lost is "
             "of all "
             "samples together. Times below are CPU time, which leaves out what was lost; caches that others "
             "emptied "
             "still cost time. GHz is the clock under the instruction set in use, where machine/clock was "
             "measured.");
}
