#include "reports/page/template/table_data.h"

#include "attn/alloc.h"
#include "base/text/utf8.h"

#include <string.h>

enum {
    LONG_TEXT = 28, /* bytes: beyond this a cell may break its lines */
    FOLDED = 30     /* rows: from here on a table is shown on demand */
};

typedef struct look {
    bool empty, numeric, extra;
} look;

/* Numeric: has numbers, and nothing else. */
static look look_of(const text_table *t, size_t column) {
    look l = {true, true, false};
    size_t i;
    json_t *row;
    json_array_foreach(t->rows, i, row) {
        const json_t *value = json_object_get(row, t->columns[column].key);
        if (!value || json_is_null(value))
            continue;
        l.empty = false;
        l.numeric &= json_is_number(value);
    }
    return l;
}

static json_t *column_data(const text_table *t, const look *looks) {
    json_t *columns = json_array();
    for (size_t i = 0; t->columns[i].key; i++)
        if (!looks[i].empty)
            json_array_append_new(columns,
                                  json_pack("{s:o, s:b, s:b}", "header", utf8_json(t->columns[i].header),
                                            "numeric", looks[i].numeric, "extra", looks[i].extra));
    return columns;
}

static json_t *cell_data(const text_table *t, size_t row, size_t column, const look *l, attn_error *error) {
    char *text = table_cell_text(t, row, column, TABLE_JSON, error); /* as shown, not escaped */
    if (!text)
        return NULL;
    json_t *cell = json_pack("{s:s, s:b, s:b, s:b}", "text", text, "numeric", l->numeric, "extra", l->extra,
                             "long", !l->numeric && strlen(text) > LONG_TEXT);
    attn_free(text);
    return cell;
}

static json_t *row_data(const text_table *t, size_t row, const look *looks, attn_error *error) {
    json_t *cells = json_array();
    for (size_t i = 0; cells && t->columns[i].key; i++) {
        if (!looks[i].empty && json_array_append_new(cells, cell_data(t, row, i, &looks[i], error))) {
            json_decref(cells);
            return NULL;
        }
    }
    return json_pack("{s:o}", "cells", cells);
}

static json_t *rows_data(const text_table *t, const look *looks, attn_error *error) {
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < json_array_size(t->rows); i++)
        if (json_array_append_new(rows, row_data(t, i, looks, error))) {
            json_decref(rows);
            return NULL;
        }
    return rows;
}

static json_t *fold_data(const text_table *t) {
    size_t rows = json_array_size(t->rows);
    return rows < FOLDED ? json_null()
                         : json_sprintf("%s: all %zu rows", t->title ? t->title : "Table", rows);
}

json_t *table_data(const text_table *t, const table_frame *frame, attn_error *error) {
    size_t count = 0;
    while (t->columns[count].key)
        count++;
    look *looks = attn_alloc(count, sizeof *looks, "columns", error);
    if (!looks)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        looks[i] = look_of(t, i);
        looks[i].extra = frame->shown && i >= frame->shown;
    }
    json_t *remarks = frame->remarks ? json_incref(frame->remarks) : json_array();
    json_t *data =
        json_pack("{s:s, s:s?, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "name", frame->name, "title",
                  t->title, "label", t->title ? t->title : frame->name, "section", frame->section, "part",
                  frame->part, "folded", fold_data(t), "columns", column_data(t, looks), "rows",
                  rows_data(t, looks, error), "note", utf8_json(frame->note), "remarks", remarks);
    attn_free(looks);
    if (!data)
        attn_no_memory(error, frame->name);
    return data;
}

json_t *figure_data(const figure_caption *f) {
    json_t *held =
        *f->held ? json_pack("{s:s, s:o}", "word", f->held_word, "text", utf8_json(f->held)) : json_null();
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:o, s:s}", "name", f->name, "title", f->title, "shows",
                     f->shows, "svg", f->svg, "about", f->about, "held", held, "basis", f->basis);
}

json_t *missing_pictures_data(const drawing *d) {
    if (!d->undrawn)
        return json_null();
    return json_pack("{s:b, s:o}", "all", !d->drawn, "why", utf8_json(d->why));
}
