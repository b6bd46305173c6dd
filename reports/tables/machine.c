/* What this machine was measured to do. */
#include "reports/tables/table_list.h"

#include <math.h>
#include <string.h>

/* "32 MiB", "512 x 512" */
static json_t *extent_of(const results_case *c) {
    char text[32];
    if (c->working_set) {
        bytes_text(text, sizeof text, (double)c->working_set);
        return json_string(text);
    }
    return c->n ? json_sprintf("%zu x %zu", c->n, c->n) : json_null();
}

static bool has_steps(const report_data *data) {
    for (size_t i = 0; i < data->count; i++)
        if (data->cases[i].c->steps > 0)
            return true;
    return false;
}

void table_machine(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Limits of this machine, measured");
    report_column(t, "what", "limit");
    report_column(t, "isa", "instruction set");
    report_column(t, "extent", "size");
    report_column(t, "size", "size in numbers");
    report_column_in_files(t);
    report_column(t, "level", "level");
    report_column(t, "gflops", "GFLOP/s");
    report_column(t, "gbytes", "GB/s");
    if (has_steps(data)) {
        report_column(t, "ghz", "GHz");
        report_column(t, "ns", "ns a step");
    }
    report_column(t, "runs", "runs");
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (strcmp(m->c->kind, "machine"))
            continue;
        const results_case *c = m->c;
        size_t size = c->working_set ? c->working_set : c->n;
        bool arithmetic = !strcmp(c->what, "flops") || !strcmp(c->what, "sgemm"); /* each in its own unit */
        bool stepped = c->steps > 0, clock = !strcmp(c->what, "clock");
        const char *level = c->working_set ? machine_level(data, (double)size) : "";
        table_add(&t->t, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s}", "what", c->what,
                                   "extent", extent_of(c), "level", *level ? json_string(level) : json_null(),
                                   "isa", *c->isa ? json_string(c->isa) : json_null(), "size",
                                   size ? json_integer((json_int_t)size) : json_null(), "gflops",
                                   four_digits(arithmetic ? c->flops / m->best : NAN), "gbytes",
                                   four_digits(arithmetic || stepped ? NAN : c->bytes / m->best), "ghz",
                                   four_digits(clock ? c->steps / m->best : NAN), "ns",
                                   four_digits(stepped && !clock ? m->best / c->steps : NAN), "runs",
                                   (json_int_t)m->runs, "name", c->name));
    }
    snprintf(t->note, sizeof t->note,
             "Each number is the best of its runs. Size is the working set, or the "
             "matrices of sgemm. Level is where the measured latency puts it (L2/L3: between the two) or, "
             "without latency, the smallest cache that the kernel says holds it. The best of each kind is "
             "the roof.");
}
