#include "harness/gate/process.h"

#include "base/process/child.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "harness/gate/decide/one_process.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_LIMIT = 60 };

int gate_side_ask(gate_side *side, int cpu, attn_error *error) {
    char *words[] = {(char *)side->program, "info", "--format", "json", NULL};
    const child_place place = {.cpu = cpu, .limit = ANSWER_LIMIT};
    child_result r;
    if (child_json(&side->info, &r, words, &place, error))
        return -1;
    if (side->info && *json_text(json_object_get(side->info, "build"), "commit"))
        return 0;
    json_decref(side->info);
    side->info = NULL;
    return attn_fail(error, "%s: not an attnbench (it did not answer to info --format json)%s%.200s",
                     side->program, *r.message ? ": " : "", r.message);
}

/* A program that refuses its command line may do so for the row, or for something else in it. */
static int read_failure(process_value *value, const json_t *entry, measure_outcome outcome,
                        const bench_case *c, const measure_settings *settings, attn_error *error) {
    bool knows = true;
    if (outcome == MEASURE_REFUSED && measure_knows(&knows, c, settings, error))
        return -1;
    value->outcome = outcome == MEASURE_UNSUPPORTED ? PROCESS_UNSUPPORTED
                     : knows                        ? PROCESS_FAILED
                                                    : PROCESS_MISSING;
    value->late = outcome == MEASURE_LATE;
    snprintf(value->why, sizeof value->why, "%s", json_text(entry, "error_message"));
    utf8_mend(value->why); /* it may be cut */
    return 0;
}

static int take_times(process_value *value, const json_t *entries, attn_error *error) {
    size_t i, n = 0, most = json_array_size(entries);
    json_t *entry;
    double *times = attn_alloc(most, sizeof *times, "times", error);
    double *sorted = attn_alloc(most, sizeof *sorted, "times", error);
    bool *disturbed = attn_alloc(most, sizeof *disturbed, "times", error);
    if (times && sorted && disturbed) {
        json_array_foreach(entries, i, entry) {
            if (strcmp(json_text(entry, "run_type"), "iteration"))
                continue;
            double iterations = json_number(entry, "iterations");
            times[n] = json_number(entry, "real_time");
            value->ns += times[n] * iterations;
            value->cpu_ns += fmin(times[n], json_number(entry, "cpu_time")) * iterations;
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
    const char *why = json_text(counter, "unavailable");
    value->instructions = json_number(counter, "value");
    if (value->instructions > 0)
        return;
    value->outcome = PROCESS_UNSUPPORTED;
    snprintf(value->why, sizeof value->why, "it counts no instructions%s%s", *why ? ": " : "", why);
}

int gate_process(process_value *value, const bench_case *c, const measure_settings *settings,
                 attn_error *error) {
    json_t *entries;
    measure_outcome outcome;
    *value = (process_value){.time = NAN, .plain_time = NAN, .instructions = NAN, .bytes = {NAN, NAN, NAN}};
    if (measure_case(&entries, &outcome, c, settings, error))
        return -1;
    const json_t *first = json_array_get(entries, 0);
    int result = 0;
    if (outcome != MEASURE_DONE) {
        result = read_failure(value, first, outcome, c, settings, error);
    } else {
        for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
            value->bytes[i] = json_number(first, gate_byte_counts[i].stored);
        value->output_hash = json_number_value(json_object_get(first, "output_hash"));
        result = take_times(value, entries, error);
        if (settings->simulated)
            take_instructions(value, first);
    }
    json_decref(entries);
    return result;
}
