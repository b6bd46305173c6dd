#include "harness/shards/merge_context.h"

#include "base/text/json.h"

#include <string.h>

/* ---- what has to be the same */

static const struct {
    const char *path, *what;
} same[] = {{"plan", "plan"},
            {"shard.count", "number of shards"},
            {"shard.units_sha", "cases, settings or split"},
            {"commit", "commit"},
            {"build.compiler", "compiler"},
            {"build.flags", "compiler flags"},
            {"blas.library", "BLAS"}};

static void put(char *text, size_t size, const json_t *value) {
    if (json_is_string(value))
        snprintf(text, size, "%s", json_string_value(value));
    else
        snprintf(text, size, "%g", json_number_value(value));
}

int merge_check_same(const results *first, const char *first_file, const results *other,
                     const char *other_file, attn_error *error) {
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const json_t *a = json_at(first->own, same[i].path), *b = json_at(other->own, same[i].path);
        char from[100], to[100];
        if (a && b && json_equal(a, b))
            continue;
        put(from, sizeof from, a);
        put(to, sizeof to, b);
        return attn_fail(error, "%s: its %s is another than that of %s (%s, %s)", other_file, same[i].what,
                         first_file, to, from);
    }
    return 0;
}

/* ---- machines */

static json_t *machine_of(const results *r) {
    static const char *const kept[] = {"date",        "host_name",           "num_cpus",
                                       "mhz_per_cpu", "cpu_scaling_enabled", "caches"},
                             *const own_kept[] = {"machine",    "blas",      "fingerprint",
                                                  "validation", "callgrind", "group"};
    json_t *machine = json_object(), *own = json_object();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        json_object_set(machine, kept[i], json_object_get(r->context, kept[i]));
    for (size_t i = 0; i < sizeof own_kept / sizeof *own_kept; i++)
        json_object_set(own, own_kept[i], json_object_get(r->own, own_kept[i]));
    json_object_set_new(machine, "attnbench", own);
    return machine;
}

size_t merge_machine(json_t *machines, const results *r, size_t shard) {
    const char *host = json_text(r->context, "host_name"), *fingerprint = json_text(r->own, "fingerprint");
    size_t at;
    json_t *one, *shards = NULL;
    json_array_foreach(machines, at, one) {
        if (!strcmp(json_text(one, "host_name"), host) &&
            !strcmp(json_text(json_object_get(one, "attnbench"), "fingerprint"), fingerprint)) {
            shards = json_object_get(one, "shards");
            break;
        }
    }
    if (!shards) {
        one = machine_of(r);
        shards = json_array();
        json_object_set_new(one, "shards", shards);
        json_array_append_new(machines, one);
    }
    json_array_append_new(shards, json_integer((json_int_t)shard));
    return at;
}

/* ---- context */

static bool all_same(const results *of, size_t count, const char *path) {
    for (size_t i = 1; i < count; i++)
        if (!json_equal(json_at(of[0].own, path), json_at(of[i].own, path)))
            return false;
    return true;
}

static json_int_t sum(const results *of, size_t count, const char *key) {
    json_int_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += json_integer_value(json_object_get(of[i].own, key));
    return total;
}

/* The words of the command line without those that are each shard's own. */
static json_t *shared_options(const json_t *words) {
    static const char *const own[] = {"--shard", "--times", "--cpu"};
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        bool left_out = false;
        for (size_t k = 0; word && k < sizeof own / sizeof *own; k++)
            left_out |= !strcmp(word, own[k]);
        if (left_out)
            i++;
        else
            json_array_append(list, json_array_get(words, i));
    }
    return list;
}

static json_t *missing_units(const json_t *missing) {
    json_t *list = json_array(), *shard;
    size_t i;
    json_array_foreach((json_t *)missing, i, shard) {
        json_array_extend(list, json_object_get(shard, "cases"));
    }
    return list;
}

/* The rows of the plan as one sweep would have had them, where all machines have the same; else what they share. */
static const json_t *plan_hash_of(const results *of, size_t count) {
    return json_at(of[0].own, all_same(of, count, "shard.rows_sha") ? "shard.rows_sha" : "shard.units_sha");
}

json_t *merge_context(const results *of, size_t count, const json_t *machines, const json_t *missing) {
    json_t *context = json_copy((json_t *)of[0].context), *own = json_copy((json_t *)of[0].own);
    const char *date = json_text(context, "date");
    for (size_t i = 1; i < count; i++) /* the earliest, as far as texts of one time zone go */
        if (strcmp(json_text(of[i].context, "date"), date) < 0)
            date = json_text(of[i].context, "date");
    json_t *shards = json_pack("{sI sI sO so}", "count", json_integer_value(json_at(own, "shard.count")),
                               "given", (json_int_t)count, "units_sha", json_at(own, "shard.units_sha"),
                               "missing", missing_units(missing));
    json_t *news = json_pack(
        "{sO sI sI sI so sO so}", "plan_sha", plan_hash_of(of, count), "cases", sum(of, count, "cases"),
        "failed", sum(of, count, "failed"), "interrupted", sum(of, count, "interrupted"), "options",
        shared_options(json_object_get(own, "options")), "machines", machines, "shards", shards);
    int bad = !context || !own || !news || json_object_update(own, news);
    if (!bad && !all_same(of, count, "fingerprint"))
        bad = json_object_set_new(own, "fingerprint", json_string("mixed"));
    bad = bad || json_object_del(own, "shard") || json_object_set_new(context, "date", json_string(date)) ||
          json_object_set_new(context, "attnbench", own);
    json_decref(news);
    if (!bad)
        return context;
    json_decref(context);
    return NULL;
}
