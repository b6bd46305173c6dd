#include "harness/results/machine_list.h"

#include "base/text/json.h"

int machine_list_check(const json_t *own, const char *file, attn_error *error) {
    const json_t *list = json_object_get(own, "machines");
    if (list && !json_array_size(list))
        return attn_fail(error, "%s: context.attnbench.machines: expected a list of machines", file);
    for (size_t i = 0; list && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (!json_is_string(json_at(one, "attnbench.machine.cpu")) ||
            !json_is_string(json_at(one, "attnbench.fingerprint")))
            return attn_fail(error,
                             "%s: context.attnbench.machines[%zu]: expected attnbench.machine.cpu and "
                             "attnbench.fingerprint",
                             file, i);
    }
    return 0;
}

int machine_list_read(size_t *machine, const json_t *own, const json_t *entry, const char *file,
                      const char *where, attn_error *error) {
    const json_t *value = json_object_get(entry, "machine"), *list = json_object_get(own, "machines");
    json_int_t number = json_integer_value(value);
    size_t count = list ? json_array_size(list) : 1;
    *machine = 0;
    if (!value && !list)
        return 0;
    if (!json_is_integer(value) || number < 0 || (size_t)number >= count)
        return attn_fail(error, "%s: %s.machine: expected a number in the list of %zu machines", file, where,
                         count);
    *machine = (size_t)number;
    return 0;
}
