#include "harness/shards/merge.h"

#include "attn/alloc.h"
#include "base/text/json.h"
#include "harness/results/finished.h"
#include "harness/results/machines.h"
#include "harness/shards/merge_context.h"
#include "harness/shards/plan_split.h"

#include <string.h>

typedef struct merging {
    const char *const *files;
    size_t count;
    results *of;     /* of each file */
    size_t *machine; /* of each file, in the list */
    size_t *at;      /* of each part, from 1: its file, or `count` */
    const json_t *units, *parts;
    json_t **entries; /* of each file: unit -> list of entries */
} merging;

static const json_t *shard_of(const results *r) {
    return json_object_get(r->own, "shard");
}

static size_t shard_number(const results *r, const char *key) {
    return (size_t)json_integer_value(json_object_get(shard_of(r), key));
}

/* ---- what is given */

static int check_shard(const results *r, const char *file, attn_error *error) {
    const json_t *units = json_object_get(shard_of(r), "units"),
                 *parts = json_object_get(shard_of(r), "parts");
    size_t index = shard_number(r, "index"), count = shard_number(r, "count");
    if (!shard_of(r))
        return attn_fail(error, "%s: is no shard: attnbench sweep --shard K/N writes them", file);
    if (!index || index > count || count > SHARDS_MAX || json_array_size(units) != json_array_size(parts))
        return attn_fail(error, "%s: context.attnbench.shard: expected index, count, units and parts", file);
    for (size_t i = 0; i < json_array_size(units); i++) {
        json_int_t part = json_integer_value(json_array_get(parts, i));
        if (!json_is_string(json_array_get(units, i)) || part < 1 || part > (json_int_t)count)
            return attn_fail(error, "%s: context.attnbench.shard: units[%zu] or its part is wrong", file, i);
    }
    return 0;
}

static int read_file(merging *m, size_t i, attn_error *error) {
    if (results_read_finished(&m->of[i], m->files[i], error) || check_shard(&m->of[i], m->files[i], error))
        return -1;
    size_t index = shard_number(&m->of[i], "index");
    if (i && merge_check_same(&m->of[0], m->files[0], &m->of[i], m->files[i], error))
        return -1;
    if (!m->at) {
        size_t shards = shard_number(&m->of[0], "count");
        m->at = attn_alloc(shards + 1, sizeof *m->at, "shards", error);
        for (size_t k = 0; m->at && k <= shards; k++)
            m->at[k] = m->count;
    }
    if (!m->at)
        return -1;
    if (m->at[index] != m->count)
        return attn_fail(error, "%s: is shard %zu, and so is %s", m->files[i], index, m->files[m->at[index]]);
    m->at[index] = i;
    return 0;
}

static int read_files(merging *m, const char *const *files, attn_error *error) {
    m->files = files;
    while (files[m->count])
        m->count++;
    m->of = attn_alloc(m->count, sizeof *m->of, "shards", error);
    m->machine = attn_alloc(m->count, sizeof *m->machine, "shards", error);
    m->entries = attn_alloc(m->count, sizeof *m->entries, "shards", error);
    if (!m->of || !m->machine || !m->entries)
        return -1;
    for (size_t i = 0; i < m->count; i++)
        if (read_file(m, i, error))
            return -1;
    m->units = json_object_get(shard_of(&m->of[0]), "units");
    m->parts = json_object_get(shard_of(&m->of[0]), "parts");
    return 0;
}

/* ---- entries */

/* Sorts a file's entries by unit, and gives each its machine. */
static int sort_entries(merging *m, size_t file, attn_error *error) {
    const json_t *list = json_object_get(m->of[file].root, "benchmarks");
    char unit[BENCH_NAME_MAX];
    size_t i;
    json_t *entry;
    m->entries[file] = json_object();
    int bad = !m->entries[file];
    json_array_foreach((json_t *)list, i, entry) {
        plan_unit(unit, json_text(entry, "run_name"));
        json_t *own = json_object_get(m->entries[file], unit);
        if (!own && !bad) {
            own = json_array();
            bad = json_object_set_new(m->entries[file], unit, own);
        }
        bad = bad || json_object_set_new(entry, "machine", json_integer((json_int_t)m->machine[file])) ||
              json_array_append(own, entry);
    }
    return bad ? attn_no_memory(error, m->files[file]) : 0;
}

static int check_units(const merging *m, size_t file, size_t taken, attn_error *error) {
    size_t has = json_object_size(m->entries[file]);
    return has == taken
               ? 0
               : attn_fail(error, "%s: has %zu cases that are another shard's", m->files[file], has - taken);
}

/* A shard that is missing is noted, one that lacks a case of its own refused. */
static int take_units(json_t *entries, const merging *m, json_t *missing_of, size_t *taken,
                      attn_error *error) {
    int bad = 0;
    for (size_t i = 0; !bad && i < json_array_size(m->units); i++) {
        const json_t *unit = json_array_get(m->units, i);
        size_t part = (size_t)json_integer_value(json_array_get(m->parts, i)), file = m->at[part];
        if (file == m->count) {
            bad = json_array_append(json_array_get(missing_of, part), (json_t *)unit);
            continue;
        }
        json_t *own = json_object_get(m->entries[file], json_string_value(unit));
        if (!own)
            return attn_fail(error, "%s: lacks %s, a case of its shard", m->files[file],
                             json_string_value(unit));
        taken[file]++;
        bad = json_array_extend(entries, own);
    }
    for (size_t i = 0; !bad && i < m->count; i++)
        if (check_units(m, i, taken[i], error))
            return -1;
    return bad ? attn_no_memory(error, "merge") : 0;
}

static json_t *missing_shards(const merging *m, size_t shards, const json_t *missing_of) {
    json_t *list = json_array();
    for (size_t part = 1; part <= shards; part++)
        if (m->at[part] == m->count)
            json_array_append_new(list, json_pack("{sI sO}", "shard", (json_int_t)part, "cases",
                                                  json_array_get(missing_of, part)));
    return list;
}

static int put_together(merge_outcome *outcome, merging *m, attn_error *error) {
    json_t *entries = json_array(), *missing_of = json_array(), *machines = json_array();
    size_t *taken = attn_alloc(m->count, sizeof *taken, "shards", error);
    outcome->shards = shard_number(&m->of[0], "count");
    outcome->given = m->count;
    int result = entries && missing_of && machines && taken ? 0 : attn_no_memory(error, "merge");
    for (size_t part = 0; !result && part <= outcome->shards; part++)
        result = json_array_append_new(missing_of, json_array()) ? attn_no_memory(error, "merge") : 0;
    for (size_t i = 0; !result && i < m->count; i++) {
        m->machine[i] = merge_machine(machines, &m->of[i], shard_number(&m->of[i], "index"));
        result = sort_entries(m, i, error);
    }
    if (!result)
        result = take_units(entries, m, missing_of, taken, error);
    if (!result) {
        outcome->missing = missing_shards(m, outcome->shards, missing_of);
        outcome->results =
            json_pack("{so sO}", "context", merge_context(m->of, m->count, machines, outcome->missing),
                      "benchmarks", entries);
        result = outcome->results ? 0 : attn_no_memory(error, "merge");
    }
    attn_free(taken);
    json_decref(entries);
    json_decref(missing_of);
    json_decref(machines);
    return result;
}

/* Counts, and a last look at what was made. */
static int count(merge_outcome *outcome, attn_error *error) {
    results r = {0};
    int result = results_take(&r, json_incref(outcome->results), "the merged results", error);
    if (!result) {
        outcome->cases = r.count;
        outcome->machines = results_machines(&r);
        outcome->kinds = results_kinds(outcome->cpus, sizeof outcome->cpus, &r);
    }
    for (size_t i = 0; i < r.count; i++)
        outcome->failed += r.cases[i].error && !r.cases[i].unsupported;
    results_free(&r);
    return result;
}

int merge_shards(merge_outcome *outcome, const char *const *files, attn_error *error) {
    merging m = {0};
    *outcome = (merge_outcome){0};
    int result =
        read_files(&m, files, error) || put_together(outcome, &m, error) || count(outcome, error) ? -1 : 0;
    for (size_t i = 0; i < m.count; i++) {
        if (m.of)
            results_free(&m.of[i]);
        if (m.entries)
            json_decref(m.entries[i]);
    }
    attn_free(m.of);
    attn_free(m.machine);
    attn_free(m.entries);
    attn_free(m.at);
    return result;
}

void merge_free(merge_outcome *outcome) {
    json_decref(outcome->results);
    json_decref(outcome->missing);
    *outcome = (merge_outcome){0};
}
