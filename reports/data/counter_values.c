#include "reports/data/counter_values.h"

#include <string.h>

const char *counter_text(const json_t *counter, const char *key) {
    const char *text = json_string_value(json_object_get(counter, key));
    return text ? text : "";
}

bool counter_is_shown(const json_t *counter) {
    const char *validation = counter_text(counter, "validation");
    return json_is_number(json_object_get(counter, "value")) &&
           (!strcmp(validation, "trusted") || !strcmp(validation, "scaled") ||
            !strcmp(validation, "unchecked"));
}

bool counter_is_scaled(const json_t *counter) {
    return !strcmp(counter_text(counter, "validation"), "scaled");
}

const char *counter_mark(const json_t *counter) {
    return counter_is_scaled(counter)                                  ? " (scaled)"
           : !strcmp(counter_text(counter, "validation"), "unchecked") ? " (unchecked)"
                                                                       : "";
}

double counter_value(const json_t *counter) {
    double value = json_number_value(json_object_get(counter, "value"));
    const json_t *factor = json_object_get(counter, "factor");
    return counter_is_scaled(counter) && json_is_number(factor) ? value / json_number_value(factor) : value;
}
