#include "harness/results/machines.h"

#include "base/text/append.h"
#include "base/text/json.h"

#include <string.h>

static const json_t *list_of(const results *r) {
    return json_object_get(r->own, "machines");
}

size_t results_machines(const results *r) {
    return list_of(r) ? json_array_size(list_of(r)) : 1;
}

const json_t *results_machine(const results *r, size_t i) {
    return list_of(r) ? json_array_get(list_of(r), i) : r->context;
}

static const char *fingerprint(const results *r, size_t i) {
    return json_text(json_object_get(results_machine(r, i), "attnbench"), "fingerprint");
}

size_t results_kind_of(const results *r, size_t i) {
    size_t first = 0;
    while (first < i && strcmp(fingerprint(r, first), fingerprint(r, i)) != 0)
        first++;
    return first;
}

size_t results_kinds(char *text, size_t size, const results *r) {
    size_t count = 0;
    text[0] = '\0';
    for (size_t i = 0; i < results_machines(r); i++) {
        if (results_kind_of(r, i) != i)
            continue;
        const json_t *cpu = json_at(results_machine(r, i), "attnbench.machine.cpu");
        text_list(text, size, ", ", "%s", json_is_string(cpu) ? json_string_value(cpu) : "unknown");
        count++;
    }
    return count;
}

/* The context of the kind: the file's own, with what the machine says of itself in its place. */
static json_t *context_of(const results *r, size_t i) {
    json_t *context = json_copy((json_t *)r->context), *own = json_copy((json_t *)r->own),
           *machines = json_array();
    const json_t *from = results_machine(r, i);
    int bad = !context || !own || !machines || json_object_update(context, (json_t *)from) ||
              json_object_update(own, json_object_get(from, "attnbench"));
    for (size_t k = 0; !bad && k < results_machines(r); k++)
        if (results_kind_of(r, k) == i)
            bad = json_array_append(machines, (json_t *)results_machine(r, k));
    if (bad || json_object_set_new(own, "machines", machines) ||
        json_object_set_new(context, "attnbench", own)) {
        json_decref(context);
        return NULL;
    }
    return context;
}

/* Numbers of machines change with the list. */
static size_t number_in_kind(const results *r, size_t kind, size_t machine) {
    size_t number = 0;
    for (size_t k = 0; k < machine; k++)
        number += results_kind_of(r, k) == kind;
    return number;
}

int results_of_kind(results *part, const results *r, size_t i, const char *name, attn_error *error) {
    json_t *context = context_of(r, i), *entries = json_array(), *entry;
    size_t n;
    int bad = !context || !entries;
    json_array_foreach(json_object_get(r->root, "benchmarks"), n, entry) {
        size_t machine = (size_t)json_integer_value(json_object_get(entry, "machine"));
        if (bad || results_kind_of(r, machine) != i)
            continue;
        json_t *own = json_copy(entry);
        bad = !own ||
              json_object_set_new(own, "machine", json_integer((json_int_t)number_in_kind(r, i, machine))) ||
              json_array_append_new(entries, own);
    }
    *part = (results){0};
    json_t *root = json_pack("{so so}", "context", context, "benchmarks", entries);
    if (bad || !root) {
        json_decref(root);
        return attn_no_memory(error, name);
    }
    return results_take(part, root, name, error);
}
