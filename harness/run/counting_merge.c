#include "harness/run/counting_merge.h"

#include "base/statistics/stats.h"
#include "harness/counters/counter_set.h"
#include "harness/counters/validate/judge_counter.h"
#include "harness/counters/validate/validate.h"
#include "harness/results/result_entry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { REPETITIONS_MAX = 10000 };

static json_t *counters_of(const json_t *entry) {
    return json_object_get(entry, "counters");
}

static bool has_value(const json_t *counter) {
    return json_is_number(json_object_get(counter, "value"));
}

static const char *reason_of(const json_t *counter) {
    const char *reason = json_string_value(json_object_get(counter, "unavailable"));
    return reason ? reason : COUNTER_NOT_ASKED;
}

/* Reasons of both, unless the timed process was not asked, or an earlier round said the same. */
static json_t *unavailable(const json_t *timed, const char *reason) {
    const char *first = reason_of(timed);
    bool adds = strcmp(first, COUNTER_NOT_ASKED) && strncmp(reason, first, strlen(first));
    return json_pack("{ss++}", "unavailable", adds ? first : "", adds ? "; " : "", reason);
}

static int add_counter(json_t *counters, const char *name, const json_t *more, attn_error *error) {
    const json_t *timed = json_object_get(counters, name);
    if (has_value(timed) || (!has_value(more) && !strcmp(reason_of(more), COUNTER_NOT_ASKED)))
        return 0;
    json_t *value = has_value(more) ? json_deep_copy((json_t *)more) : unavailable(timed, reason_of(more));
    return json_object_set_new(counters, name, value) ? attn_no_memory(error, NULL) : 0;
}

static int add_part(json_t *parts, const char *part, json_t *counters, attn_error *error) {
    const char *name;
    json_t *counter, *own = json_object_get(parts, part);
    if (!own && !json_object_set_new(parts, part, json_object()))
        own = json_object_get(parts, part);
    json_object_foreach(counters, name, counter) {
        /* copies, as each is marked by itself */
        if (!json_object_get(own, name) && json_object_set_new(own, name, json_deep_copy(counter)))
            return attn_no_memory(error, NULL);
    }
    return own ? 0 : attn_no_memory(error, NULL);
}

int merge_parts(json_t *entry, const json_t *more, attn_error *error) {
    json_t *theirs = json_object_get(more, ENTRY_BY_PART), *counters;
    const char *part;
    if (!theirs || !counters_of(entry))
        return 0;
    json_t *parts = json_object_get(entry, ENTRY_BY_PART);
    if (!parts && !json_object_set_new(entry, ENTRY_BY_PART, json_object()))
        parts = json_object_get(entry, ENTRY_BY_PART);
    json_object_foreach(theirs, part, counters) {
        if (add_part(parts, part, counters, error))
            return -1;
    }
    return 0;
}

int merge_simulated(json_t *entries, const json_t *simulated, attn_error *error) {
    json_t *more = counters_of(json_array_get(simulated, 0)), *entry, *counter;
    const char *name;
    size_t i;
    json_array_foreach(entries, i, entry) {
        if (!counters_of(entry))
            continue;
        json_object_foreach(more, name, counter) {
            if (add_counter(counters_of(entry), name, counter, error))
                return -1;
        }
        if (merge_parts(entry, json_array_get(simulated, 0), error))
            return -1;
    }
    return 0;
}

int merge_refusal(json_t *entries, const char *source, const char *why, attn_error *error) {
    json_t *entry, *counter;
    const char *name;
    void *next;
    size_t i;
    json_array_foreach(entries, i, entry) {
        json_object_foreach_safe(counters_of(entry), next, name, counter) {
            if (has_value(counter) || strcmp(reason_of(counter), COUNTER_NOT_ASKED))
                continue;
            json_t *refusal = json_pack("{ss++}", "unavailable", source, ": ", why);
            if (json_object_set_new(counters_of(entry), name, refusal))
                return attn_no_memory(error, NULL);
        }
    }
    return 0;
}

/* Median over the repetitions; NaN for none. */
static double median_of(const json_t *entries, const char *name) {
    static double values[REPETITIONS_MAX];
    size_t n = 0, i;
    json_t *entry;
    json_array_foreach((json_t *)entries, i, entry) {
        const json_t *counter = json_object_get(counters_of(entry), name);
        if (has_value(counter) && n < REPETITIONS_MAX)
            values[n++] = json_number_value(json_object_get(counter, "value"));
    }
    stats_sort(values, n);
    return n ? stats_quantile(values, n, 0.5) : NAN;
}

/* Whether the pass did the same work as the first; otherwise why it is not known to. */
static bool agrees(const json_t *entries, const json_t *more, const counter_passes *passes, size_t pass,
                   char *why, size_t size) {
    const char *shared = passes->shared->name;
    double first = median_of(entries, shared), later = median_of(more, shared);
    if (fabs(later - first) <= VERDICT_ERROR * first)
        return true;
    if (isnan(first) || isnan(later))
        snprintf(why, size, "%s could not be read, by which pass %zu is checked", shared, pass + 1);
    else
        snprintf(why, size, "pass %zu ran differently: %.6g %s, the first %.6g", pass + 1, later, shared,
                 first);
    return false;
}

int merge_pass(json_t *entries, const json_t *more, const counter_passes *passes, size_t pass,
               const char *why, attn_error *error) {
    char text[200];
    snprintf(text, sizeof text, "%s", why);
    bool good = more && agrees(entries, more, passes, pass, text, sizeof text);
    json_t *entry;
    size_t i;
    json_array_foreach(entries, i, entry) {
        for (size_t e = 1; counters_of(entry) && e < passes->pass[pass].count; e++) {
            const char *name = passes->pass[pass].events[e]->name;
            json_t *counter = json_object_get(counters_of(json_array_get(more, i)), name);
            json_t *taken = good && counter ? json_incref(counter)
                                            : json_pack("{ss}", "unavailable", good ? "not counted" : text);
            if (json_object_set_new(counters_of(entry), name, taken))
                return attn_no_memory(error, NULL);
        }
        if (good && merge_parts(entry, json_array_get(more, i), error))
            return -1;
    }
    return 0;
}

int mark_validation(json_t *counters, const json_t *metrics, attn_error *error) {
    const char *name;
    json_t *counter;
    json_object_foreach(counters, name, counter) {
        const char *source = json_string_value(json_object_get(counter, "source"));
        if (!has_value(counter) || !source)
            continue;
        const json_t *metric = validation_find(metrics, name, source);
        const char *status = validation_status(metric);
        json_t *factor = json_object_get(metric, "factor");
        bool known = !strcmp(status, verdict_names[VERDICT_TRUSTED]) ||
                     !strcmp(status, verdict_names[VERDICT_SCALED]) ||
                     !strcmp(status, verdict_names[VERDICT_UNCHECKED]);
        if (json_object_set_new(counter, "validation",
                                json_string(known ? status : verdict_names[VERDICT_REJECTED])) ||
            (factor && json_object_set(counter, "factor", factor)))
            return attn_no_memory(error, NULL);
    }
    return 0;
}

void drop_unavailable(json_t *object) {
    const char *name;
    json_t *member;
    void *next;
    json_object_foreach_safe(object, next, name, member) {
        if (!has_value(member))
            json_object_del(object, name);
    }
}
