#include "base/text/append.h"
#include "harness/counters/counter_source.h"

#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define EVENT_NONE (-1)
#define CACHE_READ_MISS(cache)                                                                               \
    ((cache) | (PERF_COUNT_HW_CACHE_OP_READ << 8) | (PERF_COUNT_HW_CACHE_RESULT_MISS << 16))
#define CACHE_READ_ACCESS(cache)                                                                             \
    ((cache) | (PERF_COUNT_HW_CACHE_OP_READ << 8) | (PERF_COUNT_HW_CACHE_RESULT_ACCESS << 16))
#define CACHE_WRITE_ACCESS(cache)                                                                            \
    ((cache) | (PERF_COUNT_HW_CACHE_OP_WRITE << 8) | (PERF_COUNT_HW_CACHE_RESULT_ACCESS << 16))
#define EVENT(name, description, papi, type, config, kernel, callgrind, may_be_zero)                         \
    {name, description, papi, type, config, kernel, callgrind, may_be_zero, false},

const counter_event counter_events[] = {
#include "harness/counters/events.inc"
};
const size_t counter_event_count = sizeof counter_events / sizeof *counter_events;
_Static_assert(sizeof counter_events / sizeof *counter_events <= COUNTER_EVENTS_MAX,
               "a list has room for all");

/* The first word of each row is what --counters takes. */
static const struct {
    const char *word;
    const counter_source *sources[6];
} choices[] = {
    {"auto",
     {&counter_source_papi, &counter_source_perf, &counter_source_callgrind, &counter_source_sde,
      &counter_source_kernel}},
    {"papi", {&counter_source_papi, &counter_source_sde, &counter_source_kernel}},
    {"perf", {&counter_source_perf, &counter_source_kernel}},
    {"callgrind", {&counter_source_callgrind, &counter_source_kernel}},
    {"off", {&counter_source_kernel}},
};
const char *const counter_source_words[] = {"auto", "papi", "perf", "callgrind", "off", NULL};

const counter_source *const *counter_sources(const char *word) {
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (!strcmp(word, choices[i].word))
            return choices[i].sources;
    return NULL;
}

bool counter_slot_is_hardware(const counter_slot *slot) {
    return slot->source && (slot->event->perf_type >= 0 || slot->native || slot->event->kernel);
}

const char *counter_slot_label(const counter_slot *slot) {
    return slot->native ? "papi_native" : slot->source->name;
}

void counter_slot_refuse(counter_slot *slot, const char *source, const char *why, ...) {
    char text[sizeof slot->reason], before[64];
    va_list arguments;
    va_start(arguments, why);
    vsnprintf(text, sizeof text, why, arguments);
    va_end(arguments);
    bool again = slot->reason[0] && !strcmp(slot->reason + slot->why, text);
    size_t length = again ? slot->why - slot->said - 2 : 0; /* without ": " */
    snprintf(before, sizeof before, "%.*s", (int)length, slot->reason + slot->said);
    if (again)
        slot->reason[slot->said] = '\0';
    else
        text_append(slot->reason, sizeof slot->reason, "%s", slot->reason[0] ? "; " : "");
    slot->said = strlen(slot->reason);
    text_append(slot->reason, sizeof slot->reason, "%s%s%s: ", before, again ? ", " : "", source);
    slot->why = strlen(slot->reason);
    text_append(slot->reason, sizeof slot->reason, "%s", text);
}
