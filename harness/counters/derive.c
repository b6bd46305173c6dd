#include "harness/counters/derive.h"

#include "base/text/append.h"
#include "base/text/formula.h"
#include "base/text/json.h"
#include "harness/counters/validate/judge_counter.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where the values of a formula came from. */
typedef struct usage {
    const json_t *counters;
    const counter_group *group; /* whose constants count; or NULL */
    char sources[64];           /* "papi", "papi+perf" */
    verdict_status worst;       /* trusted, scaled or unchecked */
    size_t found;               /* counters that have a number, up to the first that has none */
} usage;

static void note_source(usage *u, const char *source) {
    if (!strstr(u->sources, source))
        text_list(u->sources, sizeof u->sources, "+", "%s", source);
}

static int lookup(void *context, const char *name, double *value, attn_error *error) {
    usage *u = context;
    const json_t *counter = json_object_get(u->counters, name);
    if (u->group && group_constant_find(value, u->group, name))
        return isnan(*value) ? attn_fail(error, "%s has no value for this CPU", name) : 0;
    double number = json_number(counter, "value"), factor = json_number(counter, "factor");
    if (isnan(number))
        return attn_fail(error, "%s is unavailable", name);
    verdict_status status = verdict_named(json_text(counter, "validation"));
    if (status >= VERDICT_REJECTED || (status == VERDICT_SCALED && isnan(factor)))
        return attn_fail(error, "%s is not trusted", name);
    *value = number / (status == VERDICT_SCALED ? factor : 1);
    u->found++;
    u->worst = status > u->worst ? status : u->worst;
    note_source(u, json_text(counter, "source"));
    return 0;
}

static json_t *counted(const usage *u, double value) {
    return json_pack("{sf ss ss}", "value", value, "source", u->sources, "validation",
                     verdict_names[u->worst]);
}

/* The first of its choices that has all it needs; otherwise what the one lacks that had most of it: it is this CPU's. */
static json_t *evaluate(const counter_group *group, const group_formula *f, const json_t *counters) {
    attn_error nearest = {0};
    size_t most = 0;
    for (size_t i = 0; i < f->choices; i++) {
        usage u = {.counters = counters, .group = group};
        double value;
        attn_error why = {0};
        if (!formula_evaluate(&value, f->choice[i], lookup, &u, &why))
            return counted(&u, value);
        if (!i || u.found > most) {
            nearest = why;
            most = u.found;
        }
    }
    return json_pack("{ss}", "unavailable", nearest.message);
}

int derive_formulas(json_t *derived, const counter_group *group, const json_t *counters, attn_error *error) {
    for (size_t i = 0; i < group->formulas; i++)
        if (json_object_set_new(derived, group->formula[i].name,
                                evaluate(group, &group->formula[i], counters)))
            return attn_no_memory(error, NULL);
    return 0;
}

/* A counter that nothing was held against proves no formula wrong. */
static bool is_checked(const json_t *counted_) {
    const char *validation = json_string_value(json_object_get(counted_, "validation"));
    return validation && strcmp(validation, verdict_names[VERDICT_UNCHECKED]);
}

/* Next to the formula of that name in the entry. */
static json_t *compare(json_t *counted_, const json_t *entry, const char *what) {
    double expected = json_number_value(json_object_get(entry, what));
    const json_t *value = json_object_get(counted_, "value");
    if (!value || !(expected > 0))
        return counted_;
    double ratio = json_number_value(value) / expected;
    json_object_set_new(counted_, "ratio", json_real(ratio));
    json_object_set_new(counted_, "error", json_real(VERDICT_ERROR));
    json_object_set_new(counted_, "differs",
                        json_boolean(is_checked(counted_) && !(fabs(ratio - 1) <= VERDICT_ERROR)));
    return counted_;
}

static json_t *evaluate_text(const char *formula, const json_t *entry) {
    attn_error why = {0};
    usage u = {.counters = json_object_get(entry, "counters")};
    double value;
    if (formula_evaluate(&value, formula, lookup, &u, &why))
        return json_pack("{ss}", "unavailable", why.message);
    return counted(&u, value);
}

int derive_clock(json_t *derived, const json_t *entry, attn_error *error) {
    json_t *clock = evaluate_text("cycles", entry);
    double ns = json_number_value(json_object_get(entry, "cpu_time"));
    const json_t *cycles = json_object_get(clock, "value");
    if (!clock || !cycles || !(ns > 0)) {
        json_decref(clock);
        return clock ? 0 : attn_no_memory(error, NULL);
    }
    json_object_set_new(clock, "value", json_real(json_number_value(cycles) / ns));
    return json_object_set_new(derived, "ghz", clock) ? attn_no_memory(error, NULL) : 0;
}

/* A group may have counted them by native events. */
static json_t *count_flops(const json_t *entry) {
    const json_t *derived = json_object_get(json_object_get(entry, "derived"), "flops");
    return json_object_get(derived, "value") ? json_copy((json_t *)derived)
                                             : evaluate_text("sp_flops", entry);
}

/* Misses of caches are the bytes that a case needs only when the caches begin empty (simulated), or when its
 * bytes are far more than they hold. */
static json_t *count_bytes(const json_t *entry, double cache_bytes) {
    const json_t *cold = json_object_get(json_object_get(entry, "counters"), "cold_bytes");
    const json_t *derived = json_object_get(json_object_get(entry, "derived"), "memory_bytes");
    double bytes = json_number_value(json_object_get(entry, "bytes"));
    if (json_object_get(cold, "value"))
        return evaluate_text("cold_bytes", entry);
    if (!(cache_bytes > 0))
        return json_pack("{ss}", "unavailable", "the size of the caches is unknown");
    if (bytes <= 4 * cache_bytes)
        return json_pack("{ss}", "unavailable",
                         "caches hold so much of it that their misses do not show its bytes");
    return json_object_get(derived, "value") ? json_copy((json_t *)derived)
                                             : evaluate_text("64 * llc_misses", entry);
}

json_t *derive_measured(const json_t *entry, double cache_bytes, attn_error *error) {
    json_t *flops = compare(count_flops(entry), entry, "flops");
    json_t *bytes = compare(count_bytes(entry, cache_bytes), entry, "bytes");
    json_t *measured = json_pack("{so so}", "flops", flops, "bytes", bytes);
    if (!measured)
        attn_no_memory(error, NULL);
    return measured;
}
