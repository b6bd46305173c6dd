#include "harness/plan/plan_rows.h"

#include "attn/alloc.h"
#include "bench/row.h"

static int grow(plan *p, attn_error *error) {
    size_t room = attn_alloc_size(p->rows) / sizeof *p->rows;
    if (p->count < room)
        return 0;
    bench_case *rows = attn_realloc(p->rows, room ? 2 * room : 64, sizeof *rows, "rows of the plan", error);
    if (!rows)
        return -1;
    p->rows = rows;
    return 0;
}

int plan_add_row(plan *p, json_t *seen, const char *row, attn_error *error) {
    bench_case c;
    if (bench_case_parse(&c, row, error))
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
