#include "harness/plan/plan.h"

#include "base/home.h"
#include "base/text/hash.h"
#include "harness/plan/plan_machine.h"
#include "harness/plan/plan_sweep.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)PLAN_HASH >= (int)HASH_NAME, "a plan's hash is a hash name");

enum { FILE_LIMIT = 1 << 18 };

static int add_machine_row(plan *p, json_t *seen, const char *row, attn_error *error) {
    char rows[PLAN_MACHINE_ROWS][PLAN_MACHINE_ROW];
    machine m;
    machine_read(&m, NULL);
    int count = plan_machine_rows(rows, row, &m);
    for (int i = 0; i < count; i++)
        if (plan_add_row(p, seen, rows[i], 0, error))
            return -1;
    return count >= 0 ? 0 : plan_add_row(p, seen, row, 0, error);
}

static int add_literal_rows(plan *p, json_t *seen, yaml_file *file, const char *key, attn_error *error) {
    yaml_node_t *list = yaml_find(file, file->root, key);
    bool limits = !strcmp(key, "machine");
    for (size_t i = 0; list && i < yaml_count(list); i++) {
        const yaml_node_t *node = yaml_item(file, list, i);
        const char *row = yaml_text(file, node, key, error);
        attn_error inner = {0};
        if (!row)
            return -1;
        if (limits != !strncmp(row, "machine/", 8))
            return yaml_fail(file, node, key, error, "found \"%.80s\", expected a row %s machine/", row,
                             limits ? "of" : "that is not of");
        if (limits ? add_machine_row(p, seen, row, &inner) : plan_add_row(p, seen, row, 0, &inner))
            return yaml_fail(file, node, key, error, "%s", inner.message);
    }
    return 0;
}

static int read_settings(plan *p, yaml_file *file, attn_error *error) {
    static const char *const known[] = {"summary", "repetitions", "rounds",  "min_time", "seed",
                                        "sweeps",  "cases",       "machine", NULL};
    uint64_t repetitions = 5, rounds = 3;
    if (yaml_check_keys(file, file->root, known, error))
        return -1;
    const yaml_node_t *node = yaml_find(file, file->root, "repetitions");
    if (node && yaml_integer(file, node, "repetitions", 1, 10000, &repetitions, error))
        return -1;
    p->repetitions = (size_t)repetitions;
    node = yaml_find(file, file->root, "rounds");
    if (node && yaml_integer(file, node, "rounds", 1, 10000, &rounds, error))
        return -1;
    p->rounds = (size_t)rounds;
    node = yaml_find(file, file->root, "min_time");
    if (node && yaml_number(file, node, "min_time", 0.0001, 1000, &p->min_time, error))
        return -1;
    node = yaml_find(file, file->root, "seed");
    if (node && yaml_integer(file, node, "seed", 0, INT64_MAX, &p->seed, error))
        return -1;
    node = yaml_find(file, file->root, "summary");
    return !node || yaml_text(file, node, "summary", error) ? 0 : -1;
}

static int read_rows(plan *p, yaml_file *file, attn_error *error) {
    json_t *seen = json_object();
    int result = seen ? 0 : attn_no_memory(error, NULL);
    yaml_node_t *sweeps = yaml_find(file, file->root, "sweeps");
    for (size_t i = 0; !result && sweeps && i < yaml_count(sweeps); i++)
        result = plan_add_sweep(p, seen, file, yaml_item(file, sweeps, i), error);
    if (!result)
        result = add_literal_rows(p, seen, file, "cases", error);
    if (!result)
        result = add_literal_rows(p, seen, file, "machine", error);
    json_decref(seen);
    if (!result && !p->count)
        result = attn_fail(error, "%s: no rows, expected some under sweeps, cases or machine", file->name);
    return result;
}

int plan_parse(plan *p, const char *text, size_t size, const char *name, attn_error *error) {
    yaml_file file = {0};
    *p = (plan){.min_time = 0.05, .seed = 1};
    p->name = yaml_plain_name(name, error);
    int result = p->name ? yaml_file_parse(&file, text, size, name, error) : -1;
    if (!result)
        result = read_settings(p, &file, error);
    if (!result)
        result = read_rows(p, &file, error);
    yaml_file_free(&file);
    if (result)
        plan_free(p);
    return result;
}

int plan_read(plan *p, const char *which, attn_error *error) {
    size_t size = 0;
    *p = (plan){0};
    char *path = home_named_file(which, PLAN_FOLDER, "--plan", "plan", error);
    char *text = path ? attn_read_file(path, FILE_LIMIT, &size, error) : NULL;
    int result = text ? plan_parse(p, text, size, path, error) : -1;
    attn_free(text);
    attn_free(path);
    return result;
}

void plan_free(plan *p) {
    attn_free(p->name);
    attn_free(p->rows);
    json_decref(p->own_rounds);
    *p = (plan){0};
}

size_t plan_rounds(const plan *p) {
    size_t rounds = p->rounds < p->repetitions ? p->rounds : p->repetitions;
    return rounds ? rounds : 1;
}

size_t plan_rounds_of(const plan *p, const char *row) {
    size_t own = plan_own_rounds(p, row);
    return own ? own : plan_rounds(p);
}

size_t plan_repetitions(const plan *p, const char *row, size_t round) {
    size_t rounds = plan_rounds(p), own = plan_own_rounds(p, row);
    if (own)
        return round < own ? p->repetitions / rounds + (p->repetitions % rounds > 0) : 0;
    return round < rounds ? p->repetitions / rounds + (round < p->repetitions % rounds) : 0;
}

size_t plan_processes(const plan *p) {
    size_t processes = 0;
    for (size_t i = 0; i < p->count; i++)
        processes += plan_rounds_of(p, p->rows[i].name);
    return processes;
}

void plan_keep_rounds(plan *p, size_t rounds) {
    json_decref(p->own_rounds);
    p->own_rounds = NULL;
    p->rounds = rounds;
}

int plan_filter(plan *p, const char *expression, attn_error *error) {
    regex_t regex;
    int code = regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB);
    if (code) {
        char why[128];
        regerror(code, &regex, why, sizeof why);
        return attn_fail(error, "--filter %s: %s", expression, why);
    }
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (!regexec(&regex, p->rows[i].name, 0, NULL, 0))
            p->rows[kept++] = p->rows[i];
    regfree(&regex);
    if (!kept)
        return attn_fail(error, "--filter %s: finds none of the %zu rows of plan %s", expression, p->count,
                         p->name);
    p->count = kept;
    return 0;
}

void plan_hash(char name[PLAN_HASH], const plan *p, const char *counters) {
    char settings[160];
    snprintf(settings, sizeof settings, "%zu/%zu %.17g %" PRIu64 " %s", p->repetitions, plan_rounds(p),
             p->min_time, p->seed, counters);
    uint64_t hash = hash_text(HASH_START, settings);
    for (size_t i = 0; i < p->count; i++) {
        hash = hash_text(hash, p->rows[i].name);
        if (plan_own_rounds(p, p->rows[i].name)) {
            snprintf(settings, sizeof settings, " %zu", plan_own_rounds(p, p->rows[i].name));
            hash = hash_text(hash, settings);
        }
    }
    hash_name(name, hash);
}
