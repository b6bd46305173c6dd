#include "reports/tables/counters/counter_columns.h"

#include "base/text/json.h"
#include "reports/data/counter_values.h"

#include <string.h>

static bool has_column(const report_table *t, const char *name) {
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->columns[i].key, name))
            return true;
    return false;
}

void counter_columns(report_table *t, const json_t *counters) {
    const char *name;
    json_t *counter;
    json_object_foreach((json_t *)counters, name, counter) {
        bool simulated = strstr(json_text(counter, "source"), "callgrind");
        if (counter_is_shown(counter) && !has_column(t, name))
            report_column(t, name, "%s%s%s", name, simulated ? " (simulated)" : "", counter_mark(counter));
    }
}
