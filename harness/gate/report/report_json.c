/* The report as one JSON object. */
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "harness/gate/report/gate_report.h"

static json_t *percent(double effect) {
    return json_finite(gate_percent(effect));
}

static json_t *text(const char *value) {
    return value ? utf8_json(value) : json_null();
}

static json_t *bytes_json(const gate_row *row, size_t count) {
    return json_pack("{so so ss}", "base", json_finite(row->bytes[count][0]), "candidate",
                     json_finite(row->bytes[count][1]), "verdict",
                     gate_bytes_name(gate_row_bytes(row, count)));
}

json_t *gate_row_json(const gate_row *row) {
    json_t *o = json_pack("{ss ss so so so so}", "name", row->name, "verdict",
                          gate_verdict_name(row->verdict), "why", text(row->why), "unit", text(row->unit),
                          "base", json_finite(row->base), "candidate", json_finite(row->candidate));
    json_t *moved = row->moved ? json_incref(row->moved) : json_null();
    json_t *samples = row->samples ? json_incref(row->samples) : json_array();
    json_t *rest =
        json_pack("{so so so so so so sI so so}", "change_percent", percent(row->estimate), "low_percent",
                  percent(row->low), "high_percent", percent(row->high), "p", json_finite(row->p),
                  "noise_percent", percent(row->noise), "floor_percent", percent(row->floor), "pairs",
                  (json_int_t)row->pairs, "moved", moved, "samples", samples);
    int bad = !o || !rest || json_object_update(o, rest);
    for (size_t i = 0; i < GATE_BYTE_COUNTS && !bad; i++)
        bad = json_object_set_new(o, gate_byte_counts[i].key, bytes_json(row, i));
    json_decref(rest);
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *counts_json(const gate_report *report) {
    gate_tally tally[GATE_TALLIES];
    json_t *counts = json_object();
    for (size_t i = 0, n = gate_report_tally(tally, report); i < n; i++)
        json_object_set_new(counts, tally[i].what, json_integer((json_int_t)tally[i].count));
    return counts;
}

static json_t *rows_json(const gate_rows *rows) {
    json_t *list = json_array();
    for (size_t i = 0; i < rows->count && list; i++)
        if (json_array_append_new(list, gate_row_json(&rows->row[i]))) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

json_t *gate_report_json(const gate_report *report) {
    json_t *head = json_pack("{si ss si ss so}", "schema", GATE_SCHEMA, "command", report->command, "status",
                             gate_report_status(report), "verdict", gate_report_verdict(report), "counts",
                             counts_json(report));
    if (head && !json_object_update(head, report->settings) && !json_object_set(head, "notes", report->notes))
        return json_pack("{so so}", "gate", head, "cases", rows_json(&report->rows));
    json_decref(head);
    return NULL;
}
