#include "harness/gate/process.h"

#include "base/text/utf8.h"
#include "harness/gate/decide/one_process.h"
#include "harness/gate/report/report_members.h"
#include "harness/run/child.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int gate_side_ask(gate_side *side, int cpu, attn_error *error) {
    char *words[] = {(char *)side->program, "info", "--format", "json", NULL};
    child_result r;
    if (child_run(&r, words, cpu, error))
        return -1;
    side->info = r.status ? NULL : json_loadb(r.output ? r.output : "", r.size, 0, NULL);
    attn_free(r.output);
    if (side->info && *field_text(json_object_get(side->info, "build"), "commit"))
        return 0;
    json_decref(side->info);
    side->info = NULL;
    return attn_fail(error, "%s: not an attnbench (it did not answer to info --format json)%s%.200s",
                     side->program, *r.message ? ": " : "", r.message);
}

/* Rows that a program does not know are errors of its command line. */
static process_outcome outcome_of_failure(const json_t *entry, const char *message) {
    static const char row[] = "row \"";
    if (json_is_true(json_object_get(entry, "unsupported")))
        return PROCESS_UNSUPPORTED;
    return strncmp(message, row, sizeof row - 1) ? PROCESS_FAILED : PROCESS_MISSING;
}

static int take_times(process_value *value, const json_t *entries, attn_error *error) {
    size_t i, n = 0, most = json_array_size(entries);
    json_t *entry;
    double *times = attn_alloc(most, sizeof *times, "times", error);
    double *sorted = attn_alloc(most, sizeof *sorted, "times", error);
    bool *disturbed = attn_alloc(most, sizeof *disturbed, "times", error);
    if (times && sorted && disturbed) {
        json_array_foreach(entries, i, entry) {
            if (strcmp(field_text(entry, "run_type"), "iteration"))
                continue;
            times[n] = field_number(entry, "real_time");
            disturbed[n++] = json_is_true(json_object_get(entry, "disturbed"));
        }
        memcpy(sorted, times, n * sizeof *times);
        value->plain_time = single_time(sorted, disturbed, n);
        value->time = single_best_time(times, disturbed, n);
    }
    attn_free(times);
    attn_free(sorted);
    attn_free(disturbed);
    return times && sorted && disturbed ? 0 : -1;
}

static void take_instructions(process_value *value, const json_t *entry) {
    const json_t *counter = json_object_get(json_object_get(entry, "counters"), "instructions");
    const char *why = field_text(counter, "unavailable");
    value->instructions = field_number(counter, "value");
    if (value->instructions > 0)
        return;
    value->outcome = PROCESS_UNSUPPORTED;
    snprintf(value->why, sizeof value->why, "it counts no instructions%s%s", *why ? ": " : "", why);
}

int gate_process(process_value *value, const bench_case *c, const measure_settings *settings,
                 attn_error *error) {
    json_t *entries;
    bool failed;
    *value = (process_value){.time = NAN, .plain_time = NAN, .instructions = NAN, .bytes = {NAN, NAN, NAN}};
    if (measure_case(&entries, &failed, c, settings, error))
        return -1;
    const json_t *first = json_array_get(entries, 0);
    int result = 0;
    if (failed) {
        const char *message = field_text(first, "error_message");
        value->outcome = outcome_of_failure(first, message);
        snprintf(value->why, sizeof value->why, "%s", message);
        utf8_mend(value->why); /* it may be cut */
    } else {
        for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
            value->bytes[i] = field_number(first, gate_byte_counts[i].stored);
        result = take_times(value, entries, error);
        if (settings->simulated)
            take_instructions(value, first);
    }
    json_decref(entries);
    return result;
}
