#include "harness/gate/report/gate_report.h"

#include "base/status.h"
#include "base/text/utf8.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

gate_bytes gate_row_bytes(const gate_row *row, size_t count) {
    return gate_compare_bytes(row->bytes[count][0], row->bytes[count][1]);
}

int gate_row_status(const gate_row *row) {
    int status = gate_verdict_status(row->verdict);
    for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
        status = gate_worse_status(status, gate_bytes_status(gate_row_bytes(row, i)));
    return status;
}

/* expm1 makes a number of -infinity. */
double gate_percent(double effect) {
    return isfinite(effect) ? 100 * expm1(effect) : NAN;
}

static char *mended(const char *text, attn_error *error) {
    char *copy = attn_strdup(text, error);
    if (copy)
        utf8_mend(copy);
    return copy;
}

static void free_row(gate_row *row) {
    attn_free((char *)row->name);
    attn_free((char *)row->why);
    json_decref(row->moved);
    json_decref(row->samples);
}

static int grow(gate_rows *rows, attn_error *error) {
    gate_row *grown = attn_grown(rows->row, rows->count, sizeof *grown, "the report", error);
    if (!grown)
        return -1;
    rows->row = grown;
    return 0;
}

int gate_rows_add(gate_rows *rows, const gate_row *row, attn_error *error) {
    gate_row copy = *row;
    copy.name = mended(row->name, error);
    copy.why = row->why ? mended(row->why, error) : NULL;
    if (!copy.name || (row->why && !copy.why) || grow(rows, error)) {
        free_row(&copy);
        return -1;
    }
    rows->row[rows->count++] = copy;
    return 0;
}

void gate_rows_free(gate_rows *rows) {
    for (size_t i = 0; i < rows->count; i++)
        free_row(&rows->row[i]);
    attn_free(rows->row);
    *rows = (gate_rows){0};
}

void gate_report_free(gate_report *report) {
    gate_rows_free(&report->rows);
    json_decref(report->settings);
    json_decref(report->notes);
    *report = (gate_report){0};
}

/* Nothing compared is no pass. */
static int worst_status(const gate_rows *rows) {
    int status = rows->count ? STATUS_OK : STATUS_UNDECIDED;
    for (size_t i = 0; i < rows->count; i++)
        status = gate_worse_status(status, gate_row_status(&rows->row[i]));
    return status;
}

int gate_report_status(const gate_report *report) {
    return report->interrupted ? report->interrupted : worst_status(&report->rows);
}

const char *gate_report_verdict(const gate_report *report) {
    int status = worst_status(&report->rows);
    return status == STATUS_OK ? "PASS" : status == STATUS_UNDECIDED ? "UNDECIDED" : "FAIL";
}

static bool has_grown(const gate_row *row) {
    for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
        if (gate_row_bytes(row, i) == GATE_BYTES_GREW)
            return true;
    return false;
}

static size_t count_one(gate_tally *tally, size_t count, const char *what) {
    size_t i = 0;
    while (i < count && strcmp(tally[i].what, what))
        i++;
    if (i == count)
        tally[count++] = (gate_tally){what, 0};
    tally[i].count++;
    return count;
}

size_t gate_report_tally(gate_tally tally[GATE_TALLIES], const gate_report *report) {
    size_t count = 0;
    for (size_t i = 0; i < report->rows.count; i++) {
        const gate_row *row = &report->rows.row[i];
        count = count_one(tally, count, gate_verdict_name(row->verdict));
        if (has_grown(row))
            count = count_one(tally, count, gate_bytes_name(GATE_BYTES_GREW));
    }
    return count;
}
