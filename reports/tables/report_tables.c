#include "reports/tables/report_tables.h"

#include "attn/alloc.h"
#include "attn/file.h"

const table_entry report_table_list[REPORT_TABLES] = {
#define TABLE(name, place, level, link) {#name, PLACE_##place, LEVEL_##level, link, table_##name},
#include "reports/tables/tables.inc"
#undef TABLE
};

static int write_file(const table *t, const char *folder, const char *name, table_format format,
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

int table_write_files(const table *t, const char *folder, const char *name, attn_error *error) {
    for (int format = 0; table_format_names[format]; format++)
        if (write_file(t, folder, name, (table_format)format, error))
            return -1;
    return 0;
}
