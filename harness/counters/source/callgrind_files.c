#include "harness/counters/source/callgrind_files.h"

#include "attn/alloc.h"
#include "attn/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t FILE_LIMIT = (size_t)64 << 20;

/* What follows the key, at the start of a line. */
static const char *line_of(const char *text, const char *key) {
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
        if (!strncmp(line, key, length))
            return line + length;
    return NULL;
}

void callgrind_parse_totals(callgrind_totals *totals, const char *text) {
    const char *events = line_of(text, "events:"), *values = line_of(text, "totals:");
    int length;
    *totals = (callgrind_totals){0};
    if (!events || !values)
        return;
    while (totals->count < CALLGRIND_EVENTS_MAX &&
           sscanf(events, "%*[ ]%7[A-Za-z0-9]%n", totals->name[totals->count], &length) == 1) {
        char *end;
        double value = *values == ' ' ? strtod(values, &end) : 0;
        totals->value[totals->count++] = value;
        if (*values == ' ')
            values = end;
        events += length;
    }
}

void callgrind_read_totals(callgrind_totals *totals, const char *files, int nth) {
    attn_error ignored = {0};
    *totals = (callgrind_totals){0};
    char *path = attn_format(&ignored, "%s.%d", files, nth);
    char *text = path ? attn_read_file(path, FILE_LIMIT, NULL, &ignored) : NULL;
    if (text)
        callgrind_parse_totals(totals, text);
    attn_free(text);
    attn_free(path);
}

double callgrind_total(const callgrind_totals *totals, const char *name) {
    for (size_t i = 0; i < totals->count; i++)
        if (!strcmp(totals->name[i], name))
            return totals->value[i];
    return NAN;
}
