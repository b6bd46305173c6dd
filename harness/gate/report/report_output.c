#include "harness/gate/report/report_output.h"

#include "base/options.h"
#include "base/text/json_write.h"
#include "base/text/table_write.h"

#include "attn/file.h"

static const char *const formats[] = {"md", "csv", "json", NULL};

int gate_output_check(const gate_output *output, attn_error *error) {
    const char *const paths[] = {output->markdown, output->junit, output->json};
    if (option_choice("--format", output->format, formats, error) < 0)
        return -1;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (paths[i] && attn_output_try(paths[i], error))
            return -1;
    return 0;
}

static int write_json(const gate_report *report, FILE *to, attn_error *error) {
    json_t *all = gate_report_json(report);
    int result = json_print(all, JSON_INDENT(1), to == stdout ? "standard output" : "the report", to, error);
    json_decref(all);
    return result;
}

static int write_csv(const gate_report *report, attn_error *error) {
    static const table_column columns[] = {
        {"name", "", NULL},        {"verdict", "", NULL},      {"unit", "", NULL},
        {"base", "", NULL},        {"candidate", "", NULL},    {"change_percent", "", NULL},
        {"low_percent", "", NULL}, {"high_percent", "", NULL}, {"floor_percent", "", NULL},
        {"pairs", "", NULL},       {"kv_bytes", "", NULL},     {"conv_bytes", "", NULL},
        {"peak_bytes", "", NULL},  {"why", "", NULL},          {NULL, NULL, NULL}};
    text_table t;
    table_init(&t, NULL, columns);
    for (size_t i = 0; i < report->rows.count; i++) {
        const gate_row *row = &report->rows.row[i];
        json_t *flat = gate_row_json(row);
        for (size_t b = 0; b < GATE_BYTE_COUNTS; b++)
            json_object_set_new(flat, gate_byte_counts[b].key,
                                json_string(gate_bytes_name(gate_row_bytes(row, b))));
        table_add(&t, flat);
    }
    int result = table_write(&t, TABLE_CSV, stdout, error);
    table_free(&t);
    return result;
}

typedef enum file_form { MARKDOWN, JUNIT, JSON } file_form;

/* Of the stream's errors the commit reports. */
static int write_form(const gate_report *report, file_form form, FILE *to, attn_error *error) {
    if (form == JSON) {
        attn_error why = {0};
        write_json(report, to, &why);
        return why.code == ATTN_ERROR_MEMORY ? attn_fail_as(error, why.code, "%s", why.message) : 0;
    }
    (form == MARKDOWN ? gate_report_markdown : gate_report_junit)(report, to);
    return 0;
}

static int write_file(const gate_report *report, file_form form, const char *path, attn_error *error) {
    attn_output output;
    if (!path)
        return 0;
    if (attn_output_open(&output, path, error))
        return -1;
    if (write_form(report, form, output.stream, error)) {
        attn_output_discard(&output);
        return -1;
    }
    return attn_output_commit(&output, error);
}

static int write_stdout(const gate_report *report, const char *format, attn_error *error) {
    switch (option_choice("--format", format, formats, error)) {
    case 0:
        gate_report_markdown(report, stdout);
        return 0;
    case 1:
        return write_csv(report, error);
    case 2:
        return write_json(report, stdout, error);
    default:
        return -1;
    }
}

int gate_report_write(const gate_report *report, const gate_output *output, attn_error *error) {
    const char *const paths[] = {
        [MARKDOWN] = output->markdown, [JUNIT] = output->junit, [JSON] = output->json};
    int result = write_stdout(report, output->format, error);
    for (int form = 0; form <= JSON; form++) {
        attn_error other = {0};
        if (write_file(report, (file_form)form, paths[form], result ? &other : error))
            result = -1;
    }
    return result;
}
