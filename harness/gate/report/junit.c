/* The report as JUnit XML: a test for the time of every case, and one for each number of bytes. */
#include "base/text/append.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "harness/gate/report/gate_report.h"

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

static const outcome of_verdict[GATE_VERDICTS] = {
    [GATE_UNDECIDED] = SKIPPED,     [GATE_SAME] = PASSED,
    [GATE_FASTER] = PASSED,         [GATE_SLOWER] = FAILURE,
    [GATE_MISSING_IN_BASE] = ERROR, [GATE_MISSING_IN_CANDIDATE] = ERROR,
    [GATE_BASE_FAILED] = ERROR,     [GATE_CANDIDATE_FAILED] = FAILURE,
    [GATE_UNSUPPORTED] = SKIPPED,
};

/* Of an unknown number there is no test. */
static const outcome of_bytes[] = {
    [GATE_BYTES_MISSING] = SKIPPED,
    [GATE_BYTES_SAME] = PASSED,
    [GATE_BYTES_GREW] = FAILURE,
    [GATE_BYTES_SHRANK] = PASSED,
};

static size_t count(const gate_rows *rows, outcome wanted, bool all) {
    size_t n = 0;
    for (size_t i = 0; i < rows->count; i++) {
        n += all || of_verdict[rows->row[i].verdict] == wanted;
        for (size_t b = 0; b < GATE_BYTE_COUNTS; b++) {
            gate_bytes bytes = gate_row_bytes(&rows->row[i], b);
            n += bytes != GATE_BYTES_UNKNOWN && (all || of_bytes[bytes] == wanted);
        }
    }
    return n;
}

static void put_test(const char *what, const char *name, outcome of, const char *verdict, const char *message,
                     FILE *to) {
    static const char *const elements[] = {
        [PASSED] = NULL, [FAILURE] = "failure", [ERROR] = "error", [SKIPPED] = "skipped"};
    const char *element = elements[of];
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

static void describe_time(const gate_row *row, char *text, size_t size) {
    double change = gate_percent(row->estimate), low = gate_percent(row->low),
           floor = gate_percent(row->floor);
    const char *why = row->why ? row->why : "", *moved = json_text(row->moved, "summary");
    text[0] = '\0';
    if (!isnan(change))
        text_append(text, size, "%+.2f%% (", change);
    if (!isnan(change) && !isnan(low))
        text_append(text, size, "at least %+.2f%%; ", low);
    if (!isnan(change) && !isnan(floor))
        text_append(text, size, "floor %.2f%%; ", floor);
    if (!isnan(change))
        text_append(text, size, "%zu pairs)", row->pairs);
    if (*why)
        text_append(text, size, "%s%s", *text ? "; " : "", why);
    if (*moved)
        text_append(text, size, "%s%s", *text ? "; " : "", moved);
}

static void put_row(const gate_row *row, FILE *to) {
    char message[1200];
    describe_time(row, message, sizeof message);
    utf8_mend(message); /* it may be cut */
    put_test("time", row->name, of_verdict[row->verdict], gate_verdict_name(row->verdict), message, to);
    for (size_t b = 0; b < GATE_BYTE_COUNTS; b++) {
        gate_bytes bytes = gate_row_bytes(row, b);
        if (bytes == GATE_BYTES_UNKNOWN)
            continue;
        if (bytes == GATE_BYTES_MISSING)
            snprintf(message, sizeof message, "a side does not report them");
        else
            snprintf(message, sizeof message, "%.0f to %.0f bytes", row->bytes[b][0], row->bytes[b][1]);
        put_test(gate_byte_counts[b].key, row->name, of_bytes[bytes], gate_bytes_name(bytes), message, to);
    }
}

void gate_report_junit(const gate_report *report, FILE *to) {
    const gate_rows *rows = &report->rows;
    fprintf(to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n <testsuite name=\"attnbench %s\" "
            "tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
            report->command, count(rows, PASSED, true), count(rows, FAILURE, false),
            count(rows, ERROR, false), count(rows, SKIPPED, false));
    for (size_t i = 0; i < rows->count; i++)
        put_row(&rows->row[i], to);
    fputs(" </testsuite>\n</testsuites>\n", to);
}
