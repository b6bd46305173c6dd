#include "harness/counters/passes.h"

#include "harness/counters/counter_set.h"

#include "attn/alloc.h"

#include <string.h>

/* Instructions are the same in every run of a case; other events come next. */
static const counter_event *pick_shared(const counter_set *set) {
    const counter_event *first = NULL;
    for (size_t i = 0; i < set->count; i++) {
        const counter_slot *slot = &set->slots[i];
        if (!counter_slot_is_hardware(slot))
            continue;
        if (!strcmp(slot->event->name, "instructions"))
            return slot->event;
        first = first ? first : slot->event;
    }
    return first;
}

/* Moves what found no counter in this pass to the next one; whether that is worth another run. */
static bool split(counter_pass *pass, counter_pass *next, const counter_set *set,
                  const counter_event *shared) {
    size_t kept = 0, counted = 0;
    next->count = 0;
    next->events[next->count++] = shared;
    for (size_t i = 0; i < set->count; i++) {
        const counter_slot *slot = &set->slots[i];
        counted += counter_slot_is_hardware(slot) && slot->event != shared;
        if (!slot->source && slot->crowded)
            next->events[next->count++] = slot->event;
        else
            pass->events[kept++] = slot->event;
    }
    bool more = shared && counted && next->count > 1;
    if (more)
        pass->count = kept;
    return more;
}

/* What is shared goes first. */
static void move_first(counter_pass *pass, const counter_event *shared) {
    size_t at = 0;
    while (at < pass->count && pass->events[at] != shared)
        at++;
    if (at == pass->count)
        return;
    memmove(&pass->events[1], &pass->events[0], at * sizeof pass->events[0]);
    pass->events[0] = shared;
}

int counter_passes_plan(counter_passes *p, const counter_source *const *sources,
                        const counter_event *const *events, size_t count, attn_error *error) {
    *p = (counter_passes){.count = 1};
    if (count >= PASS_EVENTS_MAX)
        return attn_fail(error, "more than %d events at once", PASS_EVENTS_MAX - 1);
    memcpy(p->pass[0].events, events, count * sizeof *events);
    p->pass[0].count = count;
    for (bool more = true; more && p->count < PASSES_MAX; p->count += more) {
        counter_set set;
        counter_pass *pass = &p->pass[p->count - 1];
        if (counter_set_open_events(&set, sources, pass->events, pass->count, error))
            return -1;
        p->shared = p->shared ? p->shared : pick_shared(&set);
        more = split(pass, &p->pass[p->count], &set, p->shared);
        counter_set_close(&set);
    }
    if (p->count == 1)
        p->shared = NULL;
    else
        move_first(&p->pass[0], p->shared);
    return 0;
}

char *counter_pass_names(const counter_pass *pass, attn_error *error) {
    char *names = NULL;
    for (size_t i = 0; i < pass->count; i++) {
        char *longer =
            attn_format(error, "%s%s%s", names ? names : "", names ? "," : "", pass->events[i]->name);
        attn_free(names);
        names = longer;
        if (!names)
            return NULL;
    }
    return names ? names : attn_strdup("", error);
}
