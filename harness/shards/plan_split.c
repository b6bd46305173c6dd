#include "harness/shards/plan_split.h"

#include "attn/alloc.h"
#include "base/text/hash.h"
#include "harness/results/results.h"
#include "harness/shards/case_cost.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Where the part of the name ends that all machines share. */
static size_t shared_length(const char *row) {
    if (!strncmp(row, "machine/", 8))
        return 8 + strcspn(row + 8, "/");
    const char *isa = strncmp(row, "kernel/", 7) ? NULL : strstr(row, "/isa:");
    return isa ? (size_t)(isa - row) : strlen(row);
}

void plan_unit(char unit[BENCH_NAME_MAX], const char *row) {
    snprintf(unit, BENCH_NAME_MAX, "%.*s", (int)shared_length(row), row);
}

/* Of one limit of the machine each machine has rows of its own number: the first stands for a usual number of them. */
static double estimate(const bench_case *c, const plan *p) {
    static const double rows = 24;
    return (c->kind == BENCH_MACHINE ? rows : 1) * case_cost(c, p);
}

static int list_units(plan_split *s, json_t *index, double *cost, const plan *p, attn_error *error) {
    for (size_t i = 0; i < p->count; i++) {
        char *unit = s->unit[s->count];
        plan_unit(unit, p->rows[i].name);
        const json_t *known = json_object_get(index, unit);
        s->of[i] = known ? (size_t)json_integer_value(known) : s->count;
        if (known && p->rows[i].kind != BENCH_MACHINE)
            cost[s->of[i]] += estimate(&p->rows[i], p);
        if (known)
            continue;
        cost[s->count] = estimate(&p->rows[i], p);
        if (json_object_set_new(index, unit, json_integer((json_int_t)s->count++)))
            return attn_no_memory(error, "shards");
    }
    return 0;
}

/* Processes and the check come on top of what was timed. */
static double seconds_measured(const results_case *c, size_t rounds) {
    static const double check = 0.1;
    double timed = 0;
    for (size_t i = 0; i < c->count; i++)
        timed += 1e-9 * c->samples[i].real_time * c->samples[i].iterations;
    return (double)rounds * case_start(*c->label) + check + 1.2 * timed;
}

/* What was measured stands for the estimates, where it is. */
static int take_times(double *cost, const plan_split *s, const plan *p, const json_t *index, const char *file,
                      attn_error *error) {
    results earlier;
    char unit[BENCH_NAME_MAX];
    if (results_read(&earlier, file, error))
        return -1;
    double *sum = attn_alloc(s->count, sizeof *sum, "shards", error);
    for (size_t i = 0; sum && i < earlier.count; i++) {
        plan_unit(unit, earlier.cases[i].name);
        const json_t *known = json_object_get(index, unit);
        if (known)
            sum[json_integer_value(known)] +=
                seconds_measured(&earlier.cases[i], plan_rounds_of(p, earlier.cases[i].name));
    }
    for (size_t i = 0; sum && i < s->count; i++)
        if (sum[i] > 0)
            cost[i] = sum[i];
    results_free(&earlier);
    attn_free(sum);
    return sum ? 0 : -1;
}

static void name_split(plan_split *s, const plan *p, const char *counted) {
    char text[160];
    snprintf(text, sizeof text, "%zu/%zu %.17g %" PRIu64 " %s %zu", p->repetitions, plan_rounds(p),
             p->min_time, p->seed, counted, s->own.count);
    uint64_t hash = hash_text(HASH_START, text);
    for (size_t i = 0; i < s->count; i++) {
        snprintf(text, sizeof text, "%zu", s->part[i]);
        hash = hash_text(hash_text(hash, s->unit[i]), text);
    }
    hash_name(s->units_hash, hash);
    plan_hash(s->rows_hash, p, counted);
}

int plan_split_make(plan_split *s, const plan *p, const shard *own, const char *counted, const char *times,
                    attn_error *error) {
    *s = (plan_split){.own = *own};
    json_t *index = json_object(); /* of units */
    double *cost = attn_alloc(p->count, sizeof *cost, "shards", error);
    int result = -1;
    s->unit = attn_alloc(p->count + 1, sizeof *s->unit, "shards", error);
    s->part = attn_alloc(p->count, sizeof *s->part, "shards", error);
    s->of = attn_alloc(p->count, sizeof *s->of, "shards", error);
    if (!index)
        attn_no_memory(error, "shards");
    else if (cost && s->unit && s->part && s->of && !list_units(s, index, cost, p, error) &&
             !(times && take_times(cost, s, p, index, times, error)) &&
             !shard_deal(s->part, cost, s->count, own->count, error))
        result = 0;
    if (!result)
        name_split(s, p, counted);
    attn_free(cost);
    json_decref(index);
    return result;
}

void plan_split_keep(const plan_split *s, plan *p) {
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (s->part[s->of[i]] == s->own.index)
            p->rows[kept++] = p->rows[i];
    p->count = kept;
}

void plan_split_free(plan_split *s) {
    attn_free(s->unit);
    attn_free(s->part);
    attn_free(s->of);
    *s = (plan_split){0};
}

json_t *plan_split_json(const plan_split *s) {
    json_t *units = json_array(), *parts = json_array();
    for (size_t i = 0; i < s->count; i++) {
        json_array_append_new(units, json_string(s->unit[i]));
        json_array_append_new(parts, json_integer((json_int_t)s->part[i]));
    }
    return json_pack("{sI sI ss ss so so}", "index", (json_int_t)s->own.index, "count",
                     (json_int_t)s->own.count, "units_sha", s->units_hash, "rows_sha", s->rows_hash, "units",
                     units, "parts", parts);
}
