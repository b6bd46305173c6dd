/* Where the numbers come from, and how to get them again. */
#include "base/text/append.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "harness/results/machines.h"
#include "reports/tables/table_list.h"

static void add(report_table *t, const char *what, json_t *value) {
    table_add(&t->t, json_pack("{s:s, s:o}", "what", what, "value", value ? value : json_null()));
}

static json_t *own(const report_data *data, const char *group, const char *key) {
    const json_t *from = group ? json_object_get(data->results->own, group) : data->results->own;
    return json_incref(json_object_get(from, key));
}

/* "n1, n2": of what merge made. */
static void hosts(report_table *t, const results *r) {
    char text[400] = "";
    for (size_t i = 0; i < results_machines(r); i++)
        text_list(text, sizeof text, ", ", "%s", json_text(results_machine(r, i), "host_name"));
    if (results_machines(r) > 1)
        add(t, "hosts", utf8_json(text));
}

void table_provenance(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    static const struct {
        const char *what, *group, *key;
    } facts[] = {{"commit", NULL, "commit"},
                 {"plan", NULL, "plan"},
                 {"plan hash", NULL, "plan_sha"},
                 {"seed", NULL, "seed"},
                 {"cases", NULL, "cases"},
                 {"failed checks", NULL, "failed"},
                 {"interrupted", NULL, "interrupted"},
                 {"CPU", "machine", "cpu"},
                 {"instruction set in use", "machine", "isa"},
                 {"L1d bytes", "machine", "l1d_bytes"},
                 {"L2 bytes", "machine", "l2_bytes"},
                 {"L3 bytes", "machine", "l3_bytes"},
                 {"memory bytes", "machine", "memory_bytes"},
                 {"kernel", "machine", "kernel"},
                 {"hypervisor", "machine", "hypervisor"},
                 {"governor", "machine", "governor"},
                 {"huge pages", "machine", "huge_pages"},
                 {"compiler", "build", "compiler"},
                 {"flags", "build", "flags"},
                 {"BLAS", "blas", "library"},
                 {"BLAS core type", "blas", "core"},
                 {"BLAS threads", "blas", "threads"},
                 {"restarted for a better core type", "blas", "restarted"},
                 {"fingerprint", NULL, "fingerprint"}};
    report_table_init(t, "Provenance");
    report_column(t, "what", "what");
    report_column(t, "value", "value");
    hosts(t, data->results);
    add(t, "date", json_incref(json_object_get(data->results->context, "date")));
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        add(t, facts[i].what, own(data, facts[i].group, facts[i].key));
}
