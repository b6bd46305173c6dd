#include "reports/data/counter_values.h"

#include "attn/alloc.h"
#include "base/statistics/stats.h"
#include "base/text/json.h"

#include <math.h>
#include <string.h>

bool counter_is_shown(const json_t *counter) {
    const char *validation = json_text(counter, "validation");
    return json_is_number(json_object_get(counter, "value")) &&
           (!strcmp(validation, "trusted") || !strcmp(validation, "scaled") ||
            !strcmp(validation, "unchecked"));
}

bool counter_is_scaled(const json_t *counter) {
    return json_text_is(counter, "validation", "scaled");
}

const char *counter_mark(const json_t *counter) {
    return counter_is_scaled(counter)                         ? " (scaled)"
           : json_text_is(counter, "validation", "unchecked") ? " (unchecked)"
                                                              : "";
}

double counter_value(const json_t *counter) {
    double value = json_number_value(json_object_get(counter, "value"));
    const json_t *factor = json_object_get(counter, "factor");
    return counter_is_scaled(counter) && json_is_number(factor) ? value / json_number_value(factor) : value;
}

const json_t *counter_counted(const results_sample *s) {
    return s->counters;
}

double counter_median(const results_case *c, counter_list *list, const char *name, const char *key) {
    double *values = attn_alloc(c->count, sizeof *values, "counters", NULL), median = NAN;
    size_t n = 0;
    for (size_t i = 0; values && i < c->count; i++) {
        const json_t *counter = json_object_get(list(&c->samples[i]), name);
        const json_t *number = key ? json_object_get(counter, key) : NULL;
        if (counter_is_shown(counter) && (!key || json_is_number(number)))
            values[n++] = key ? json_number_value(number) : counter_value(counter);
    }
    stats_sort(values, n);
    if (n)
        median = stats_quantile(values, n, 0.5);
    attn_free(values);
    return median;
}
