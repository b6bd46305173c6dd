#include "reports/fleet/fleet_join.h"

#include "base/text/json.h"

#include <string.h>

bool fleet_are_limits_of(const results *limits, const results *of) {
    for (size_t i = 0; i < limits->count; i++)
        if (strcmp(limits->cases[i].kind, "machine") != 0)
            return false;
    return !strcmp(json_text(limits->context, "host_name"), json_text(of->context, "host_name")) &&
           !strcmp(results_text(limits, "fingerprint", ""), results_text(of, "fingerprint", ""));
}

int fleet_join(results *to, const results *limits, const char *file, attn_error *error) {
    results joined;
    json_t *root = json_copy(to->root), *entries = json_copy(json_object_get(to->root, "benchmarks")), *entry;
    size_t i;
    int bad = !root || !entries;
    json_array_foreach(json_object_get(limits->root, "benchmarks"), i, entry) {
        if (bad || results_find(to, json_text(entry, "run_name")))
            continue;
        json_t *own = json_copy(entry);
        bad =
            !own ||
            (json_object_get(to->own, "machines") && json_object_set_new(own, "machine", json_integer(0))) ||
            json_array_append_new(entries, own);
    }
    if (bad || json_object_set_new(root, "benchmarks", entries)) {
        json_decref(root);
        return attn_no_memory(error, file);
    }
    if (results_take(&joined, root, file, error))
        return -1;
    results_free(to);
    *to = joined;
    return 0;
}
