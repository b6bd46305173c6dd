/* The report as a comment on a pull request. */
#include "base/text/json.h"
#include "harness/gate/report/gate_report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Messages come from programs under test. */
static void put_safely(const char *text, FILE *to) {
    for (; *text; text++)
        if (strchr("|<>`*_[]\\", *text))
            fprintf(to, "\\%c", *text);
        else
            putc((unsigned char)*text < ' ' ? ' ' : *text, to);
}

/* A case's name between backticks, where only they, bars and the ends of lines mean anything. */
static void put_name(const char *name, FILE *to) {
    putc('`', to);
    for (; *name; name++)
        putc((unsigned char)*name < ' ' || strchr("`|", *name) ? '?' : *name, to);
    putc('`', to);
}

static void put_amount(double value, const char *unit, FILE *to) {
    static const struct {
        double scale;
        const char *name;
    } times[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    size_t i = 0;
    if (!isfinite(value)) {
        fputs("—", to);
    } else if (strcmp(unit, "ns")) {
        fprintf(to, "%.0f", value);
    } else {
        while (i < 3 && value < times[i].scale)
            i++;
        fprintf(to, "%.4g %s", value / times[i].scale, times[i].name);
    }
}

static void put_percent(double value, FILE *to) {
    if (isnan(value))
        fputs("—", to);
    else
        fprintf(to, "%+.2f%%", value);
}

static void put_interval(const gate_row *row, FILE *to) {
    double low = gate_percent(row->low), high = gate_percent(row->high);
    if (isnan(low) && isnan(high)) {
        fputs("—", to);
        return;
    }
    if (isnan(low))
        fputs("?", to);
    else
        put_percent(low, to);
    fputs(" to ", to);
    if (isnan(high))
        fputs("?", to);
    else
        put_percent(high, to);
}

static bool is_quiet(const gate_row *row) {
    return row->verdict == GATE_SAME;
}

static void put_row(const gate_row *row, FILE *to) {
    const char *mark = is_quiet(row) ? "" : "**";
    fprintf(to, "| %s%s%s | ", mark, gate_verdict_name(row->verdict), mark);
    put_name(row->name, to);
    fputs(" | ", to);
    put_amount(row->base, row->unit, to);
    fputs(" | ", to);
    put_amount(row->candidate, row->unit, to);
    fputs(" | ", to);
    put_percent(gate_percent(row->estimate), to);
    fputs(" | ", to);
    put_interval(row, to);
    fputs(" | ", to);
    put_percent(gate_percent(row->floor), to);
    fprintf(to, " | %zu | ", row->pairs);
    put_safely(row->why ? row->why : "", to);
    fputs(" |\n", to);
}

static void put_table(const gate_rows *rows, bool quiet, FILE *to) {
    fputs("| verdict | case | base | candidate | change | interval | floor | pairs | note |\n"
          "|---|---|---:|---:|---:|---:|---:|---:|---|\n",
          to);
    for (size_t i = 0; i < rows->count; i++)
        if (is_quiet(&rows->row[i]) == quiet)
            put_row(&rows->row[i], to);
}

static size_t count_quiet(const gate_rows *rows) {
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        count += is_quiet(&rows->row[i]);
    return count;
}

static void put_counts(const gate_report *report, FILE *to) {
    gate_tally tally[GATE_TALLIES];
    size_t count = gate_report_tally(tally, report);
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s%zu %s", i ? ", " : "", tally[i].count, tally[i].what);
    fputs(count ? ".\n\n" : "No case was compared.\n\n", to);
}

/* What one side does not report is worth a line only where both were measured. */
static bool bytes_are_shown(const gate_row *row, gate_bytes verdict) {
    bool measured = isfinite(row->base) && isfinite(row->candidate);
    return verdict == GATE_BYTES_GREW || verdict == GATE_BYTES_SHRANK ||
           (measured && verdict == GATE_BYTES_MISSING);
}

static void put_bytes(const gate_rows *rows, FILE *to) {
    bool any = false;
    for (size_t i = 0; i < rows->count; i++) {
        const gate_row *row = &rows->row[i];
        for (size_t k = 0; k < GATE_BYTE_COUNTS; k++) {
            gate_bytes verdict = gate_row_bytes(row, k);
            if (!bytes_are_shown(row, verdict))
                continue;
            if (!any)
                fputs("### Bytes\n\n| verdict | case | what | base | candidate |\n|---|---|---|---:|---:|\n",
                      to);
            any = true;
            fprintf(to, "| **%s** | ", gate_bytes_name(verdict));
            put_name(row->name, to);
            fprintf(to, " | %s | ", gate_byte_counts[k].name);
            put_amount(row->bytes[k][0], "bytes", to);
            fputs(" | ", to);
            put_amount(row->bytes[k][1], "bytes", to);
            fputs(" |\n", to);
        }
    }
    if (any)
        putc('\n', to);
}

static void put_moved(const gate_rows *rows, FILE *to) {
    bool any = false;
    for (size_t i = 0; i < rows->count; i++) {
        const char *summary = json_text(rows->row[i].moved, "summary");
        if (!*summary)
            continue;
        fputs(any ? "- " : "### What moved\n\n- ", to);
        put_name(rows->row[i].name, to);
        fputs(": ", to);
        put_safely(summary, to);
        putc('\n', to);
        any = true;
    }
    if (any)
        putc('\n', to);
}

static void put_notes(const json_t *notes, FILE *to) {
    size_t i;
    json_t *note;
    json_array_foreach(notes, i, note) {
        fputs(i ? "  \n" : "", to);
        put_safely(json_string_value(note), to);
    }
    putc('\n', to);
}

void gate_report_markdown(const gate_report *report, FILE *to) {
    const gate_rows *rows = &report->rows;
    size_t quiet = count_quiet(rows);
    fprintf(to, "## attnbench %s: %s\n\n", report->command, gate_report_verdict(report));
    put_counts(report, to);
    if (quiet < rows->count) {
        put_table(rows, false, to);
        putc('\n', to);
    }
    put_bytes(rows, to);
    put_moved(rows, to);
    if (quiet) {
        fprintf(to, "<details><summary>%zu %s the same</summary>\n\n", quiet,
                quiet == 1 ? "case is" : "cases are");
        put_table(rows, true, to);
        fputs("\n</details>\n\n", to);
    }
    put_notes(report->notes, to);
}
