#include "harness/results/journal_line.h"

#include "base/text/json.h"
#include "harness/results/results.h"

#include <stdlib.h>
#include <string.h>

/* The row's name, with an ending where the entry is an aggregate. */
static bool is_named(const json_t *entry, const char *row) {
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *run_name = json_string_value(json_object_get(entry, "run_name"));
    const char *aggregate = json_string_value(json_object_get(entry, "aggregate_name"));
    size_t length = strlen(row);
    if (!name || !run_name || strcmp(run_name, row) || strncmp(name, row, length))
        return false;
    name += length;
    return aggregate ? *name == '_' && !strcmp(name + 1, aggregate) : !*name;
}

/* results_parse passes over aggregates: it computes them again. Other programs read them. */
static bool has_times(const json_t *entry) {
    const json_t *real = json_object_get(entry, "real_time"), *cpu = json_object_get(entry, "cpu_time");
    return !json_object_get(entry, "aggregate_name") ||
           (json_is_number(real) && json_number_value(real) >= 0 && json_is_number(cpu) &&
            json_number_value(cpu) >= 0);
}

static int check_names(const json_t *entries, const char *row, const char *where, attn_error *error) {
    if (!json_array_size(entries))
        return attn_fail(error, "%s: no entries of %s", where, row);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        if (!json_is_object(entry))
            return attn_fail(error, "%s: entry %zu of %s is no object", where, i, row);
        if (!is_named(entry, row))
            return attn_fail(error, "%s: entry %zu of %s has the name of another case", where, i, row);
        if (!has_times(entry))
            return attn_fail(error, "%s: entry %zu of %s has no times from 0", where, i, row);
    }
    return 0;
}

static int check_outcome(const results *r, const json_t *line, const char *where, attn_error *error) {
    const json_t *entries = json_object_get(line, "entries"), *failed = json_object_get(line, "failed");
    const results_case *c = &r->cases[0];
    json_int_t repetitions = json_integer_value(json_object_get(json_array_get(entries, 0), "repetitions"));
    if (!json_is_boolean(failed))
        return attn_fail(error, "%s: %s: failed is neither true nor false", where, c->name);
    if (json_is_true(failed))
        return c->error && !c->count && json_array_size(entries) == 1
                   ? 0
                   : attn_fail(error, "%s: %s failed, but its entries are not one error", where, c->name);
    if (c->error || (json_int_t)c->count != repetitions)
        return attn_fail(error, "%s: %zu entries of repetitions of %s, expected %lld", where, c->count,
                         c->name, (long long)repetitions);
    return 0;
}

/* A results file around the entries: results_parse is the one that knows what entries are. */
static char *as_results(const json_t *entries) {
    json_t *around = json_pack("{s{s{si ss ss ss si si si s{ss} s{} s{}}} sO}", "context", "attnbench",
                               "schema", 1, "commit", "", "plan", "", "fingerprint", "", "seed", 0, "cases",
                               1, "failed", 0, "machine", "cpu", "", "build", "blas", "benchmarks", entries);
    char *text = around ? json_dumps(around, JSON_COMPACT) : NULL;
    json_decref(around);
    return text;
}

int journal_line_check(const json_t *line, const char *where, attn_error *error) {
    const char *row = json_string_value(json_object_get(line, "finished"));
    json_t *entries = json_object_get(line, "entries");
    results r = {0};
    if (check_names(entries, row, where, error))
        return -1;
    char *text = as_results(entries);
    int result = text ? results_parse(&r, text, strlen(text), where, error) : attn_no_memory(error, where);
    json_free_text(text);
    if (!result)
        result = r.count == 1 ? check_outcome(&r, line, where, error)
                              : attn_fail(error, "%s: %s has aggregates only", where, row);
    results_free(&r);
    return result;
}
