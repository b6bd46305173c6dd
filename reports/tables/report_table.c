#include "reports/tables/report_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void report_table_init(report_table *t, const char *title) {
    *t = (report_table){0};
    table_init(&t->t, title, t->columns);
}

void report_table_share(report_table *t, const text_table *from) {
    *t = (report_table){.t = *from};
    json_incref(t->t.rows);
}

void report_column(report_table *t, const char *key, const char *header, ...) {
    if (t->count == REPORT_COLUMNS)
        return;
    va_list arguments;
    va_start(arguments, header);
    vsnprintf(t->headers[t->count], REPORT_HEADER, header, arguments);
    va_end(arguments);
    t->columns[t->count] = (table_column){key, t->headers[t->count], NULL};
    t->count++;
}

void report_column_in_files(report_table *t) {
    t->files_only[t->count - 1] = true;
}

void report_columns_in_files(report_table *t, const char *const *keys) {
    for (; *keys; keys++)
        for (size_t i = 0; i < REPORT_COLUMNS && t->t.columns[i].key; i++)
            t->files_only[i] |= !strcmp(t->t.columns[i].key, *keys);
}

void report_column_mib(report_table *t) {
    t->columns[t->count - 1].format = table_mib;
}

void report_columns(report_table *t, const report_column_row *columns) {
    for (const report_column_row *c = columns; c->key; c++) {
        report_column(t, c->key, "%s", c->header);
        if (c->how & REPORT_MIB)
            report_column_mib(t);
        if (c->how & REPORT_IN_FILES)
            report_column_in_files(t);
    }
}

static bool has_value(const report_table *t, const char *key) {
    size_t i;
    json_t *row;
    json_array_foreach(t->t.rows, i, row) {
        const json_t *value = json_object_get(row, key);
        if (value && !json_is_null(value))
            return true;
    }
    return false;
}

void report_table_shown(const report_table *t, text_table *shown, table_column columns[REPORT_COLUMNS + 1]) {
    bool own = !t->chosen->key && !t->page_columns;
    const table_column *from = t->chosen->key ? t->chosen : own ? t->t.columns : t->page_columns;
    size_t count = 0;
    for (size_t i = 0; from[i].key && count < REPORT_COLUMNS; i++)
        if (!(own && t->files_only[i]) && has_value(t, from[i].key))
            columns[count++] = from[i];
    columns[count] = (table_column){0};
    *shown = t->t;
    shown->columns = columns;
}

size_t report_table_all(const report_table *t, text_table *all,
                        table_column columns[2 * REPORT_COLUMNS + 1]) {
    report_table_shown(t, all, columns);
    size_t shown = 0;
    while (columns[shown].key)
        shown++;
    size_t count = shown;
    for (size_t i = 0; t->t.columns[i].key && count < 2 * REPORT_COLUMNS; i++) {
        bool is_there = false;
        for (size_t k = 0; k < shown; k++)
            is_there |= !strcmp(columns[k].key, t->t.columns[i].key);
        if (!is_there && has_value(t, t->t.columns[i].key))
            columns[count++] = t->t.columns[i];
    }
    columns[count] = (table_column){0};
    return shown;
}

/* ---- columns that were asked for */

static const table_column *column_named(const table_column *from, const char *name, size_t length) {
    for (; from && from->key; from++)
        if (strlen(from->key) == length && !strncmp(from->key, name, length))
            return from;
    return NULL;
}

static const table_column *column_of(const report_table *t, const char *name, size_t length) {
    const table_column *found = column_named(t->page_columns, name, length);
    return found ? found : column_named(t->t.columns, name, length);
}

static void choose_all(report_table *t) {
    size_t count = 0;
    for (const table_column *c = t->t.columns; c && c->key && count < REPORT_COLUMNS; c++) {
        const table_column *shown = column_named(t->page_columns, c->key, strlen(c->key));
        t->chosen[count++] = shown ? *shown : *c;
    }
}

void report_table_choose(report_table *t, const char *list, bool *used) {
    size_t count = 0;
    if (!strcmp(list, "all")) {
        used[0] = true;
        choose_all(t);
        return;
    }
    for (size_t i = 0; *list; i++) {
        size_t length = strcspn(list, ",");
        const table_column *found = column_of(t, list, length);
        used[i] |= found != NULL;
        if (found && count < REPORT_COLUMNS)
            t->chosen[count++] = *found;
        list += length + (list[length] == ',');
    }
}

void report_table_free(report_table *t) {
    table_free(&t->t);
    json_decref(t->remarks);
    t->remarks = NULL;
}
