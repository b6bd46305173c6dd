#include "reports/tables/table_list.h"

#include "base/text/table_write.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const table_entry report_table_list[REPORT_TABLES] = {
#define TABLE(name, place, level, link) {#name, PLACE_##place, LEVEL_##level, link, table_##name},
#include "reports/tables/tables.inc"
#undef TABLE
};

static int write_file(const text_table *t, const char *folder, const char *name, table_format format,
                      attn_error *error) {
    char *path = attn_format(error, "%s/%s.%s", folder, name, table_format_names[format]);
    attn_output output = {0};
    int result = -1;
    if (path && !attn_output_open(&output, path, error) && !table_write(t, format, output.stream, error))
        result = attn_output_commit(&output, error);
    attn_output_discard(&output);
    attn_free(path);
    return result;
}

int table_write_files(const text_table *t, const char *folder, const char *name, attn_error *error) {
    for (int format = 0; table_format_names[format]; format++)
        if (write_file(t, folder, name, (table_format)format, error))
            return -1;
    return 0;
}

static int write_shown(const report_table *t, const char *folder, const char *name, attn_error *error) {
    table_column columns[REPORT_COLUMNS + 1];
    text_table shown;
    report_table_shown(t, &shown, columns);
    for (int i = 0; table_format_names[i]; i++) {
        table_format format = (table_format)i;
        const text_table *written = format == TABLE_MD || format == TABLE_TEX ? &shown : &t->t;
        if (write_file(written, folder, name, format, error))
            return -1;
    }
    return 0;
}

static int remove_files(const char *folder, const char *name, attn_error *error) {
    int result = 0;
    for (int i = 0; !result && table_format_names[i]; i++) {
        char *path = attn_format(error, "%s/%s.%s", folder, name, table_format_names[i]);
        result = path ? 0 : -1;
        if (path && unlink(path) && errno != ENOENT)
            result = attn_fail(error, "%s: cannot be removed: %s", path, strerror(errno));
        attn_free(path);
    }
    return result;
}

int report_table_write(const report_table *t, const char *folder, const char *name, attn_error *error) {
    if (t->presence != TABLE_SHOWN)
        return remove_files(folder, name, error);
    if (!t->t.columns || !t->t.columns->key)
        return attn_fail(error,
                         "the table %s has no columns: what fills it begins with report_table_init and "
                         "adds them with report_column, or sets presence",
                         name);
    return write_shown(t, folder, name, error);
}

static void fill(report_table *t, const table_entry *entry, const table_sources *from) {
    entry->fill(t, from);
    if (t->presence == TABLE_SHOWN && t->t.rows && !json_array_size(t->t.rows))
        t->presence = TABLE_EMPTY;
}

void report_tables_fill(report_table tables[REPORT_TABLES], const table_sources *from) {
    for (size_t i = 0; i < REPORT_TABLES; i++)
        fill(&tables[i], &report_table_list[i], from);
}

void report_tables_fill_place(report_table tables[REPORT_TABLES], const table_sources *from,
                              table_place place) {
    for (size_t i = 0; i < REPORT_TABLES; i++) {
        tables[i] = (report_table){.presence = TABLE_NOT_GIVEN};
        if (report_table_list[i].place == place)
            fill(&tables[i], &report_table_list[i], from);
    }
}

int report_tables_choose(report_table tables[REPORT_TABLES], const char *list, attn_error *error) {
    size_t names = 1;
    for (const char *c = list; *c; c++)
        names += *c == ',';
    bool *used = attn_alloc(names, sizeof *used, "names of columns", error);
    if (!used)
        return -1;
    memset(used, 0, names * sizeof *used);
    for (size_t i = 0; i < REPORT_TABLES; i++)
        report_table_choose(&tables[i], list, used);
    int result = 0;
    const char *name = list;
    for (size_t i = 0; i < names; i++, name += strcspn(name, ",") + 1)
        if (!result && !used[i] && strcmp(list, "all"))
            result = attn_fail(
                error, "--columns: no table has a column \"%.*s\" (a csv file's first line has its names)",
                (int)strcspn(name, ","), name);
    attn_free(used);
    return result;
}

int report_tables_write(const report_table tables[REPORT_TABLES], const char *folder, attn_error *error) {
    int result = attn_make_folder(folder, error);
    for (size_t i = 0; !result && i < REPORT_TABLES; i++)
        result = report_table_write(&tables[i], folder, report_table_list[i].name, error);
    return result;
}
