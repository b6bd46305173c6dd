/* The report as a comment on a pull request. */
#include "harness/gate/report/gate_report.h"

#include "harness/gate/report/report_members.h"

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

static void put_amount(double value, const char *unit, FILE *to) {
    static const struct {
        double scale;
        const char *name;
    } times[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    size_t i = 0;
    if (isnan(value)) {
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

static void put_interval(const json_t *row, FILE *to) {
    double low = field_number(row, "low_percent"), high = field_number(row, "high_percent");
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

static bool is_quiet(const json_t *row) {
    return !strcmp(field_text(row, "verdict"), "SAME");
}

static void put_row(const json_t *row, FILE *to) {
    const char *mark = is_quiet(row) ? "" : "**";
    fprintf(to, "| %s%s%s | `%s` | ", mark, field_text(row, "verdict"), mark, field_text(row, "name"));
    put_amount(field_number(row, "base"), field_text(row, "unit"), to);
    fputs(" | ", to);
    put_amount(field_number(row, "candidate"), field_text(row, "unit"), to);
    fputs(" | ", to);
    put_percent(field_number(row, "change_percent"), to);
    fputs(" | ", to);
    put_interval(row, to);
    fputs(" | ", to);
    put_percent(field_number(row, "floor_percent"), to);
    fprintf(to, " | %.0f | ", field_number(row, "pairs"));
    put_safely(field_text(row, "why"), to);
    fputs(" |\n", to);
}

static void put_table(const json_t *rows, bool quiet, FILE *to) {
    size_t i;
    json_t *row;
    fputs("| verdict | case | base | candidate | change | interval | floor | pairs | note |\n"
          "|---|---|---:|---:|---:|---:|---:|---:|---|\n",
          to);
    json_array_foreach(rows, i, row) {
        if (is_quiet(row) == quiet)
            put_row(row, to);
    }
}

static size_t count_quiet(const json_t *rows) {
    size_t i, count = 0;
    json_t *row;
    json_array_foreach(rows, i, row) {
        count += is_quiet(row);
    }
    return count;
}

static void put_counts(const json_t *counts, FILE *to) {
    const char *what;
    json_t *count;
    bool first = true;
    json_object_foreach((json_t *)counts, what, count) {
        fprintf(to, "%s%lld %s", first ? "" : ", ", (long long)json_integer_value(count), what);
        first = false;
    }
    fputs(first ? "No case was compared.\n\n" : ".\n\n", to);
}

/* What one side does not tell is worth a line only where both were measured. */
static bool bytes_are_shown(const json_t *row, const char *verdict) {
    bool measured = !isnan(field_number(row, "base")) && !isnan(field_number(row, "candidate"));
    return !strcmp(verdict, "GREW") || !strcmp(verdict, "SHRANK") ||
           (measured && !strcmp(verdict, "MISSING"));
}

static void put_bytes(const json_t *rows, FILE *to) {
    size_t i;
    json_t *row;
    bool any = false;
    json_array_foreach(rows, i, row) {
        for (size_t k = 0; k < GATE_BYTE_COUNTS; k++) {
            const json_t *bytes = json_object_get(row, gate_byte_counts[k].key);
            const char *verdict = field_text(bytes, "verdict");
            if (!bytes_are_shown(row, verdict))
                continue;
            if (!any)
                fputs("### Bytes\n\n| verdict | case | what | base | candidate |\n|---|---|---|---:|---:|\n",
                      to);
            any = true;
            fprintf(to, "| **%s** | `%s` | %s | ", verdict, field_text(row, "name"),
                    gate_byte_counts[k].name);
            put_amount(field_number(bytes, "base"), "bytes", to);
            fputs(" | ", to);
            put_amount(field_number(bytes, "candidate"), "bytes", to);
            fputs(" |\n", to);
        }
    }
    if (any)
        putc('\n', to);
}

static void put_moved(const json_t *rows, FILE *to) {
    size_t i;
    json_t *row;
    bool any = false;
    json_array_foreach(rows, i, row) {
        const char *summary = field_text(json_object_get(row, "moved"), "summary");
        if (!*summary)
            continue;
        fprintf(to, "%s- `%s`: ", any ? "" : "### What moved\n\n", field_text(row, "name"));
        put_safely(summary, to);
        putc('\n', to);
        any = true;
    }
    if (any)
        putc('\n', to);
}

static void put_notes(const json_t *head, FILE *to) {
    size_t i;
    json_t *note;
    json_array_foreach(json_object_get(head, "notes"), i, note) {
        fputs(i ? "  \n" : "", to);
        put_safely(json_string_value(note), to);
    }
    putc('\n', to);
}

void gate_report_markdown(const json_t *report, FILE *to) {
    const json_t *head = json_object_get(report, "gate"), *rows = json_object_get(report, "cases");
    size_t quiet = count_quiet(rows);
    fprintf(to, "## attnbench %s: %s\n\n", field_text(head, "command"), field_text(head, "verdict"));
    put_counts(json_object_get(head, "counts"), to);
    if (quiet < json_array_size(rows)) {
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
    put_notes(head, to);
}
