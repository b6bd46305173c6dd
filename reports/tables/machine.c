/* What this machine was measured to do. */
#include "reports/tables/table_list.h"

#include <math.h>
#include <string.h>

void table_machine(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    report_table_init(t, "Limits of this machine, measured");
    report_column(t, "what", "limit");
    report_column(t, "isa", "instruction set");
    report_column(t, "size", "size");
    report_column(t, "level", "level");
    report_column(t, "gflops", "GFLOP/s");
    report_column(t, "gbytes", "GB/s");
    report_column(t, "runs", "runs");
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (strcmp(m->c->kind, "machine"))
            continue;
        size_t size = m->c->working_set ? m->c->working_set : m->c->n;
        bool read = !strcmp(m->c->what, "read"); /* each limit is shown in its own unit */
        const char *level = read ? machine_level(data->results, (double)size) : "";
        table_add(&t->t, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:s}", "what", m->c->what, "level",
                                   *level ? json_string(level) : json_null(), "isa",
                                   *m->c->isa ? json_string(m->c->isa) : json_null(), "size",
                                   size ? json_integer((json_int_t)size) : json_null(), "gflops",
                                   four_digits(read ? NAN : m->gflops), "gbytes",
                                   four_digits(read ? m->gbytes : NAN), "runs", (json_int_t)m->runs, "name",
                                   m->c->name));
    }
    snprintf(
        t->note, sizeof t->note,
        "Size is the working set in bytes (read) or the side of the matrices (sgemm); level is the smallest "
        "cache that holds it. The best of each kind is the roof.");
}
