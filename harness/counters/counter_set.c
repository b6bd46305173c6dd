#include "harness/counters/counter_set.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const counter_slot *first_hardware(const counter_set *set) {
    for (size_t i = 0; i < set->count; i++)
        if (counter_slot_is_hardware(&set->slots[i]))
            return &set->slots[i];
    return NULL;
}

static bool claims_hardware(const counter_set *set, const counter_source *source) {
    for (size_t i = 0; i < set->count; i++)
        if (counter_slot_is_hardware(&set->slots[i]) && set->slots[i].source == source)
            return true;
    return false;
}

static double trial(counter_set *set, const counter_slot *slot) {
    counter_set_start(set);
    for (volatile int i = 0; i < 100000; i++)
        ;
    counter_set_stop(set, 0, 0);
    counter_set_read(set);
    return slot->known ? slot->value : 0;
}

/* Sources compete for the same few counters of a CPU, and PAPI does not notice when it loses. */
static bool last_takes_from(counter_set *set, const counter_slot *slot) {
    set->opened--;
    double alone = trial(set, slot);
    set->opened++;
    return trial(set, slot) < alone / 2;
}

static void drop_last(counter_set *set, const char *winner) {
    size_t last = --set->opened;
    const counter_source *source = set->open[last].source;
    source->close(set->open[last].state);
    for (size_t i = 0; i < set->count; i++) {
        counter_slot *slot = &set->slots[i];
        if (slot->source != source)
            continue;
        slot->source = NULL;
        slot->known = slot->native = false;
        slot->as[0] = '\0';
        slot->crowded = true;
        counter_slot_refuse(slot, source->name, "no counter is left next to those of %s", winner);
    }
}

static int open_sources(counter_set *set, const counter_source *const *sources, attn_error *error) {
    for (size_t i = 0; i < COUNTER_SOURCES && sources[i]; i++) {
        const counter_slot *claimed = first_hardware(set);
        void *state = NULL;
        if (sources[i]->open(&state, set->slots, set->count, error))
            return -1;
        if (!state)
            continue;
        set->open[set->opened].source = sources[i];
        set->open[set->opened++].state = state;
        if (claimed && claims_hardware(set, sources[i]) && last_takes_from(set, claimed))
            drop_last(set, claimed->source->name);
    }
    return 0;
}

int counter_set_open(counter_set *set, const counter_source *const *sources, attn_error *error) {
    const counter_event **all = attn_alloc(counter_event_count, sizeof *all, "counters", error);
    if (!all) {
        *set = (counter_set){0};
        return -1;
    }
    for (size_t i = 0; i < counter_event_count; i++)
        all[i] = &counter_events[i];
    int result = counter_set_open_events(set, sources, all, counter_event_count, error);
    attn_free(all);
    return result;
}

int counter_set_open_events(counter_set *set, const counter_source *const *sources,
                            const counter_event *const *events, size_t count, attn_error *error) {
    *set = (counter_set){.count = count, .current = BENCH_PARTS_END};
    set->slots = attn_alloc(set->count, sizeof *set->slots, "counters", error);
    bool failed = !set->slots;
    for (size_t p = 0; p < BENCH_PARTS; p++)
        failed |= !(set->part[p] = attn_alloc(set->count, sizeof **set->part, "counters by part", error));
    if (failed) {
        counter_set_close(set);
        return -1;
    }
    for (size_t i = 0; i < set->count; i++)
        set->slots[i].event = events[i];
    if (open_sources(set, sources, error)) {
        counter_set_close(set);
        return -1;
    }
    for (size_t i = 0; i < set->count; i++)
        if (!set->slots[i].source && !set->slots[i].reason[0])
            snprintf(set->slots[i].reason, sizeof set->slots[i].reason, "%s",
                     set->slots[i].event->elsewhere ? "an event of other CPUs" : COUNTER_NOT_ASKED);
    return 0;
}

void counter_set_close(counter_set *set) {
    for (size_t i = set->opened; i-- > 0;)
        set->open[i].source->close(set->open[i].state);
    for (size_t p = 0; p < BENCH_PARTS; p++)
        attn_free(set->part[p]);
    attn_free(set->slots);
    *set = (counter_set){0};
}

/* The most trusted source is innermost, so that it does not count what starting the others takes. */
void counter_set_start(counter_set *set) {
    for (size_t i = set->opened; i-- > 0;)
        set->open[i].source->start(set->open[i].state);
}

void counter_set_stop(counter_set *set, uint64_t iterations, double cache_bytes_read) {
    for (size_t i = 0; i < set->opened; i++)
        set->open[i].source->stop(set->open[i].state, cache_bytes_read);
    set->iterations = iterations;
}

static void drop_impossible(counter_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        counter_slot *slot = &set->slots[i];
        if (!isfinite(slot->value) || slot->value < 0 || (slot->value == 0 && !slot->event->may_be_zero))
            slot->known = false;
    }
}

void counter_set_read(counter_set *set) {
    for (size_t i = 0; i < set->count; i++)
        set->slots[i].known = false;
    for (size_t i = 0; i < set->opened; i++)
        set->open[i].source->read(set->open[i].state, set->slots, set->count);
    drop_impossible(set);
}

/* ---- Parts */

static void add_to(counter_piece *sum, const counter_slot *slot) {
    sum->pieces++;
    sum->lost |= !slot->known || !isfinite(slot->value) || slot->value < 0;
    sum->value += slot->known ? slot->value : 0;
}

/* What the piece that has just ended counted. */
static void add_piece(counter_set *set, const counter_source *source, void *state) {
    for (size_t i = 0; i < set->count; i++)
        set->slots[i].known = false;
    source->read(state, set->slots, set->count);
    for (size_t i = 0; i < set->count; i++) {
        if (set->slots[i].source != source)
            continue;
        add_to(&set->part[set->current][i], &set->slots[i]);
        if (bench_part_outer(set->current) != set->current)
            add_to(&set->part[bench_part_outer(set->current)][i], &set->slots[i]);
    }
}

static void end_piece(counter_set *set) {
    for (size_t i = 0; i < set->opened; i++)
        if (set->open[i].source->splits)
            set->open[i].source->stop(set->open[i].state, 0);
    for (size_t i = 0; i < set->opened; i++) {
        const counter_source *source = set->open[i].source;
        if (source->keep)
            source->keep(set->open[i].state, set->current);
        else if (source->splits)
            add_piece(set, source, set->open[i].state);
    }
}

static void forget_parts(counter_set *set) {
    for (size_t p = 0; p < BENCH_PARTS; p++)
        memset(set->part[p], 0, set->count * sizeof **set->part);
    for (size_t i = 0; i < set->opened; i++)
        if (set->open[i].source->keep)
            set->open[i].source->keep(set->open[i].state, COUNTER_FORGET);
}

/* Part after part: one that goes on has no border. */
void counter_set_part(counter_set *set, int part) {
    if (set->current == part)
        return;
    if (set->current == BENCH_PARTS_END)
        forget_parts(set);
    else
        end_piece(set);
    set->current = part;
    for (size_t i = set->opened; part != BENCH_PARTS_END && i-- > 0;)
        if (set->open[i].source->splits)
            set->open[i].source->start(set->open[i].state);
}

void counter_set_read_part(counter_set *set, int part) {
    for (size_t i = 0; i < set->count; i++) {
        const counter_piece *sum = &set->part[part][i];
        set->slots[i].known = sum->pieces && !sum->lost;
        set->slots[i].value = sum->value;
    }
    for (size_t i = 0; i < set->opened; i++)
        if (set->open[i].source->read_part)
            set->open[i].source->read_part(set->open[i].state, set->slots, set->count, part);
    drop_impossible(set);
}

/* ---- As bench/ sees them */

static void probe_start(void *context) {
    counter_set_start(context);
}

static void probe_stop(void *context, uint64_t iterations, double cache_bytes_read) {
    counter_set_stop(context, iterations, cache_bytes_read);
}

static void emit_part(counter_set *set, int part, bench_emit_number *emit, void *to) {
    counter_set_read_part(set, part);
    for (size_t i = 0; i < set->count; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s.%s", bench_part_name(part), set->slots[i].event->name);
        if (set->slots[i].known)
            emit(to, name, set->slots[i].value);
    }
}

static void probe_values(void *context, bench_emit_number *emit, void *to) {
    counter_set *set = context;
    counter_set_read(set);
    for (size_t i = 0; set->iterations && i < set->count; i++)
        if (set->slots[i].known)
            emit(to, set->slots[i].event->name, set->slots[i].value / (double)set->iterations);
    for (int p = 0; p < BENCH_PARTS; p++)
        emit_part(set, p, emit, to);
}

static void probe_part(void *context, int part) {
    counter_set_part(context, part);
}

static void probe_describe(void *context, bench_emit_text *emit, void *to) {
    const counter_set *set = context;
    for (size_t i = 0; i < set->count; i++) {
        const counter_slot *slot = &set->slots[i];
        char key[64], text[sizeof slot->reason + 32];
        snprintf(key, sizeof key, COUNTER_KEY "%s", slot->event->name);
        if (slot->source)
            snprintf(text, sizeof text, "%s", counter_slot_label(slot));
        else
            snprintf(text, sizeof text, COUNTER_UNAVAILABLE "%s", slot->reason);
        emit(to, key, text);
        snprintf(key, sizeof key, COUNTER_EVENT_KEY "%s", slot->event->name);
        if (slot->source && slot->as[0])
            emit(to, key, slot->as);
    }
}

bench_probe counter_set_probe(counter_set *set) {
    bench_probe probe = {.context = set,
                         .start = probe_start,
                         .stop = probe_stop,
                         .values = probe_values,
                         .describe = probe_describe};
    for (size_t i = 0; i < set->opened; i++) {
        probe.each |= set->open[i].source == &counter_source_callgrind;
        probe.part = set->open[i].source->splits ? probe_part : probe.part;
    }
    return probe;
}
