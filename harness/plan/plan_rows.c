#include "harness/plan/plan_rows.h"

#include "attn/alloc.h"
#include "bench/row.h"

static int grow(plan *p, attn_error *error) {
    bench_case *rows = attn_grown(p->rows, p->count, sizeof *rows, "rows of the plan", error);
    if (!rows)
        return -1;
    p->rows = rows;
    return 0;
}

size_t plan_own_rounds(const plan *p, const char *row) {
    return (size_t)json_integer_value(json_object_get(p->own_rounds, row));
}

static int set_rounds(plan *p, const char *row, size_t rounds, attn_error *error) {
    if (rounds <= plan_own_rounds(p, row))
        return 0;
    if (!p->own_rounds)
        p->own_rounds = json_object();
    return json_object_set_new(p->own_rounds, row, json_integer((json_int_t)rounds))
               ? attn_no_memory(error, NULL)
               : 0;
}

int plan_add_row(plan *p, json_t *seen, const char *row, size_t rounds, attn_error *error) {
    bench_case c;
    if (bench_case_parse(&c, row, error) || set_rounds(p, c.name, rounds, error))
        return -1;
    if (json_object_get(seen, c.name))
        return 0;
    if (p->count == PLAN_ROWS_MAX)
        return attn_fail(error, "more than %d rows", PLAN_ROWS_MAX);
    if (grow(p, error))
        return -1;
    if (json_object_set_new(seen, c.name, json_true()))
        return attn_no_memory(error, NULL);
    p->rows[p->count++] = c;
    return 0;
}
