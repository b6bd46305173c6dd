#include "harness/results/case_rounds.h"

#include "harness/results/result_entry.h"

#include <string.h>

/* By its own process, or by the first one, when their outputs are the same. */
static bool is_checked(const results_store *s, const char *row, const json_t *entry) {
    const json_t *hash = json_object_get(entry, "output_hash");
    return json_object_get(entry, "check") ||
           json_number_value(hash) == case_rounds_number(s, row, "output_hash", 0);
}

bool case_rounds_lack(const results_store *s, const char *row, size_t round) {
    for (size_t i = 0; i < round; i++) {
        bool failed;
        if (store_find(s, row, i, &failed) && failed)
            return false;
    }
    bool failed;
    const json_t *entries = store_find(s, row, round, &failed);
    return !entries || (!failed && !is_checked(s, row, json_array_get(entries, 0)));
}

double case_rounds_number(const results_store *s, const char *row, const char *key, double missing) {
    bool failed;
    const json_t *first = json_array_get(store_find(s, row, 0, &failed), 0),
                 *value = json_object_get(first, key);
    return json_is_number(value) ? json_number_value(value) : missing;
}

/* Entries are borrowed from the store, so that what differs goes into copies. */
static int add_repetition(json_t *joined, const json_t *entry, size_t round, const json_t *check) {
    json_t *own = json_copy((json_t *)entry);
    int bad =
        !own ||
        json_object_set_new(own, "repetition_index", json_integer((json_int_t)json_array_size(joined))) ||
        json_object_set_new(own, "process", json_integer((json_int_t)round + 1));
    if (!bad && check && !json_object_get(own, "check"))
        bad = json_object_set(own, "check", (json_t *)check);
    if (bad) {
        json_decref(own);
        return -1;
    }
    return json_array_append_new(joined, own);
}

static int add_round(json_t *joined, const json_t *entries, size_t round, const json_t *check) {
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        if (!json_object_get(entry, "aggregate_name") && add_repetition(joined, entry, round, check))
            return -1;
    }
    return 0;
}

static int set_repetitions(json_t *joined) {
    json_t *entry, *count = json_integer((json_int_t)json_array_size(joined));
    size_t i;
    int bad = !count;
    json_array_foreach(joined, i, entry) {
        bad = bad || json_object_set(entry, "repetitions", count);
    }
    json_decref(count);
    return bad ? -1 : 0;
}

json_t *case_rounds_join(const results_store *s, const char *row, size_t rounds, attn_error *error) {
    json_t *joined = json_array();
    const json_t *check = NULL;
    int result = joined ? 0 : attn_no_memory(error, row);
    for (size_t round = 0; !result && round < rounds; round++) {
        bool failed;
        const json_t *entries = store_find(s, row, round, &failed);
        if (!entries || failed) {
            json_decref(joined);
            return json_deep_copy(entries);
        }
        if (!round)
            check = json_object_get(json_array_get(entries, 0), "check");
        if (add_round(joined, entries, round, check))
            result = attn_no_memory(error, row);
    }
    if (!result && set_repetitions(joined))
        result = attn_no_memory(error, row);
    if (!result)
        result = entry_add_aggregates(joined, error);
    if (!result)
        return joined;
    json_decref(joined);
    return NULL;
}
