#include "harness/gate/report/gate_report.h"

#include "base/options.h"
#include "base/status.h"
#include "base/text/table.h"
#include "base/text/utf8.h"
#include "harness/gate/report/report_members.h"

#include "attn/file.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

/* Of the log of a ratio; an open bound is no number (expm1 makes one of -infinity). */
static json_t *percent(double effect) {
    return number(isfinite(effect) ? 100 * expm1(effect) : NAN);
}

static json_t *text(const char *value) {
    return value ? utf8_json(value) : json_null();
}

static json_t *bytes_json(const double both[2]) {
    return json_pack("{so so ss}", "base", number(both[0]), "candidate", number(both[1]), "verdict",
                     gate_bytes_name(gate_compare_bytes(both[0], both[1])));
}

json_t *gate_row_json(const gate_row *row) {
    json_t *o = json_pack("{ss ss so so so so}", "name", row->name, "verdict",
                          gate_verdict_name(row->verdict), "why", text(row->why), "unit", text(row->unit),
                          "base", number(row->base), "candidate", number(row->candidate));
    json_t *moved = row->moved ? row->moved : json_null();
    json_t *samples = row->samples ? row->samples : json_array();
    json_t *rest =
        json_pack("{so so so so so so sI so so}", "change_percent", percent(row->estimate), "low_percent",
                  percent(row->low), "high_percent", percent(row->high), "p", number(row->p), "noise_percent",
                  percent(row->noise), "floor_percent", percent(row->floor), "pairs", (json_int_t)row->pairs,
                  "moved", moved, "samples", samples);
    int bad = !o || !rest || json_object_update(o, rest);
    for (size_t i = 0; i < GATE_BYTE_COUNTS && !bad; i++)
        bad = json_object_set_new(o, gate_byte_counts[i].key, bytes_json(row->bytes[i]));
    json_decref(rest);
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static gate_verdict verdict_of(const json_t *row) {
    const char *name = json_string_value(json_object_get(row, "verdict"));
    for (int v = 0; name && v < GATE_VERDICTS; v++)
        if (!strcmp(name, gate_verdict_name((gate_verdict)v)))
            return (gate_verdict)v;
    return GATE_UNDECIDED;
}

static gate_bytes bytes_of(const json_t *row, const char *key) {
    const json_t *bytes = json_object_get(row, key);
    return gate_compare_bytes(field_number(bytes, "base"), field_number(bytes, "candidate"));
}

static int row_status(const json_t *row) {
    int status = gate_verdict_status(verdict_of(row));
    for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
        status = gate_worse_status(status, gate_bytes_status(bytes_of(row, gate_byte_counts[i].key)));
    return status;
}

static bool has_grown(const json_t *row) {
    for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
        if (bytes_of(row, gate_byte_counts[i].key) == GATE_BYTES_GREW)
            return true;
    return false;
}

static const char *status_word(int status) {
    return status == STATUS_OK ? "PASS" : status == STATUS_UNDECIDED ? "UNDECIDED" : "FAIL";
}

static void count_one(json_t *counts, const char *what) {
    json_object_set_new(counts, what, json_integer(json_integer_value(json_object_get(counts, what)) + 1));
}

json_t *gate_report(const char *name, json_t *settings, json_t *rows, attn_error *error) {
    size_t i;
    json_t *row, *counts = json_object();
    int status = json_array_size(rows) ? STATUS_OK : STATUS_UNDECIDED;
    json_array_foreach(rows, i, row) {
        status = gate_worse_status(status, row_status(row));
        count_one(counts, gate_verdict_name(verdict_of(row)));
        if (has_grown(row))
            count_one(counts, "GREW");
    }
    json_t *head = json_pack("{si ss si ss so}", "schema", GATE_SCHEMA, "command", name, "status", status,
                             "verdict", status_word(status), "counts", counts);
    if (!head || !settings || !rows || json_object_update(head, settings)) {
        json_decref(head);
        json_decref(settings);
        json_decref(rows);
        attn_no_memory(error, "the report");
        return NULL;
    }
    json_decref(settings);
    return json_pack("{so so}", "gate", head, "cases", rows);
}

int gate_report_status(const json_t *report) {
    return (int)json_integer_value(json_object_get(json_object_get(report, "gate"), "status"));
}

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

static int write_json(const json_t *report, FILE *to) {
    return json_dumpf(report, to, JSON_INDENT(1)) || putc('\n', to) == EOF ? -1 : 0;
}

static int write_csv(const json_t *report, attn_error *error) {
    static const table_column columns[] = {
        {"name", "", NULL},        {"verdict", "", NULL},      {"unit", "", NULL},
        {"base", "", NULL},        {"candidate", "", NULL},    {"change_percent", "", NULL},
        {"low_percent", "", NULL}, {"high_percent", "", NULL}, {"floor_percent", "", NULL},
        {"pairs", "", NULL},       {"kv_bytes", "", NULL},     {"conv_bytes", "", NULL},
        {"peak_bytes", "", NULL},  {"why", "", NULL},          {NULL, NULL, NULL}};
    table t;
    size_t i;
    json_t *row;
    table_init(&t, NULL, columns);
    json_array_foreach(json_object_get(report, "cases"), i, row) {
        json_t *flat = json_copy(row);
        for (size_t b = 0; b < GATE_BYTE_COUNTS; b++) {
            const char *key = gate_byte_counts[b].key;
            json_object_set_new(flat, key, json_string(gate_bytes_name(bytes_of(row, key))));
        }
        table_add(&t, flat);
    }
    int result = table_write(&t, TABLE_CSV, stdout, error);
    table_free(&t);
    return result;
}

typedef enum file_form { MARKDOWN, JUNIT, JSON } file_form;

static int write_file(const json_t *report, file_form form, const char *path, attn_error *error) {
    attn_output output;
    if (!path)
        return 0;
    if (attn_output_open(&output, path, error))
        return -1;
    if (form == MARKDOWN)
        gate_report_markdown(report, output.stream);
    else if (form == JUNIT)
        gate_report_junit(report, output.stream);
    else
        write_json(report, output.stream);
    return attn_output_commit(&output, error);
}

static int write_stdout(const json_t *report, const char *format, attn_error *error) {
    switch (option_choice("--format", format, formats, error)) {
    case 0:
        gate_report_markdown(report, stdout);
        return 0;
    case 1:
        return write_csv(report, error);
    case 2:
        return write_json(report, stdout) ? attn_fail(error, "standard output cannot be written") : 0;
    default:
        return -1;
    }
}

int gate_report_write(const json_t *report, const gate_output *output, attn_error *error) {
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
