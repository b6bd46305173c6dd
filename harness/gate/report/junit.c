/* The report as JUnit XML: a test for the time of every case, and one for each number of bytes. */
#include "harness/gate/report/gate_report.h"

#include "base/text/utf8.h"
#include "harness/gate/report/report_members.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Control characters may not stand in XML 1.0 at all. */
static void put_escaped(const char *text, FILE *to) {
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            putc((unsigned char)*text < ' ' ? ' ' : *text, to);
        }
}

typedef enum outcome { PASSED, FAILURE, ERROR, SKIPPED } outcome;

static outcome outcome_of(const char *verdict) {
    static const struct {
        const char *verdict;
        outcome outcome;
    } outcomes[] = {{"SAME", PASSED},       {"FASTER", PASSED},   {"SHRANK", PASSED},
                    {"SLOWER", FAILURE},    {"GREW", FAILURE},    {"CANDIDATE FAILED", FAILURE},
                    {"UNDECIDED", SKIPPED}, {"MISSING", SKIPPED}, {"NOT SUPPORTED HERE", SKIPPED}};
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        if (!strcmp(verdict, outcomes[i].verdict))
            return outcomes[i].outcome;
    return ERROR;
}

/* NULL: there is no such number on either side, and no test of it. */
static const char *bytes_verdict(const json_t *row, size_t b) {
    const char *verdict = field_text(json_object_get(row, gate_byte_counts[b].key), "verdict");
    return strcmp(verdict, gate_bytes_name(GATE_BYTES_UNKNOWN)) ? verdict : NULL;
}

static size_t count(const json_t *rows, outcome wanted, bool all) {
    size_t i, n = 0;
    json_t *row;
    json_array_foreach(rows, i, row) {
        n += all || outcome_of(field_text(row, "verdict")) == wanted;
        for (size_t b = 0; b < GATE_BYTE_COUNTS; b++) {
            const char *verdict = bytes_verdict(row, b);
            n += verdict && (all || outcome_of(verdict) == wanted);
        }
    }
    return n;
}

static void put_test(const char *what, const char *name, const char *verdict, const char *message, FILE *to) {
    static const char *const elements[] = {
        [PASSED] = NULL, [FAILURE] = "failure", [ERROR] = "error", [SKIPPED] = "skipped"};
    const char *element = elements[outcome_of(verdict)];
    fprintf(to, "  <testcase classname=\"attnbench.%s\" name=\"", what);
    put_escaped(name, to);
    if (!element) {
        fputs("\"/>\n", to);
        return;
    }
    fprintf(to, "\"><%s message=\"%s", element, verdict);
    put_escaped(*message ? ": " : "", to);
    put_escaped(message, to);
    fprintf(to, "\"/></testcase>\n");
}

static void describe_time(const json_t *row, char *text, size_t size) {
    double change = field_number(row, "change_percent"), low = field_number(row, "low_percent");
    const char *why = field_text(row, "why"), *moved = field_text(json_object_get(row, "moved"), "summary");
    double floor = field_number(row, "floor_percent");
    int used = 0;
    text[0] = '\0';
    if (!isnan(change))
        used = snprintf(text, size, "%+.2f%% (", change);
    if (!isnan(change) && !isnan(low))
        used += snprintf(text + used, size - (size_t)used, "at least %+.2f%%; ", low);
    if (!isnan(change) && !isnan(floor))
        used += snprintf(text + used, size - (size_t)used, "floor %.2f%%; ", floor);
    if (!isnan(change))
        used += snprintf(text + used, size - (size_t)used, "%.0f pairs)", field_number(row, "pairs"));
    snprintf(text + used, size - (size_t)used, "%s%s%s%s", used && *why ? "; " : "", why,
             (used || *why) && *moved ? "; " : "", moved);
}

static void put_row(const json_t *row, FILE *to) {
    char message[1200];
    describe_time(row, message, sizeof message);
    utf8_mend(message); /* it may be cut */
    put_test("time", field_text(row, "name"), field_text(row, "verdict"), message, to);
    for (size_t b = 0; b < GATE_BYTE_COUNTS; b++) {
        const json_t *bytes = json_object_get(row, gate_byte_counts[b].key);
        const char *verdict = bytes_verdict(row, b);
        if (!verdict)
            continue;
        if (outcome_of(verdict) == SKIPPED)
            snprintf(message, sizeof message, "a side does not tell");
        else
            snprintf(message, sizeof message, "%.0f to %.0f bytes", field_number(bytes, "base"),
                     field_number(bytes, "candidate"));
        put_test(gate_byte_counts[b].key, field_text(row, "name"), verdict, message, to);
    }
}

void gate_report_junit(const json_t *report, FILE *to) {
    const json_t *head = json_object_get(report, "gate"), *rows = json_object_get(report, "cases");
    size_t i;
    json_t *row;
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"attnbench %s\" "
            "tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
            field_text(head, "command"), count(rows, PASSED, true), count(rows, FAILURE, false),
            count(rows, ERROR, false), count(rows, SKIPPED, false));
    json_array_foreach(rows, i, row) {
        put_row(row, to);
    }
    fputs(" </testsuite>\n</testsuites>\n", to);
}
