/* Source "sde": PAPI's software-defined events. The program itself counts (here: bytes of cache that the
 * region says it read) and PAPI reads the count through an event set like any other, so that the whole PAPI
 * path runs on machines without a PMU too. */
#include "harness/counters/counter_source.h"

#include "harness/counters/source/papi_library.h"

#include "attn/alloc.h"

#include <papi.h>
#include <sde_lib.h>
#include <stdio.h>
#include <string.h>

static const char library[] = "attnbench", counter[] = "cache_bytes_read";

/* PAPI keeps the address; one for the process, as the name is. */
static long long bytes_read;

typedef struct sde_state {
    int set;
    int result;
    size_t slot;
    long long value;
} sde_state;

/* Once for the life of the process: PAPI looks counters up by name. */
static int declare_counter(void) {
    static bool done;
    static int result;
    if (!done) {
        papi_handle_t handle = papi_sde_init(library);
        result = handle ? papi_sde_register_counter(handle, counter, PAPI_SDE_RO | PAPI_SDE_DELTA,
                                                    PAPI_SDE_long_long, &bytes_read)
                        : SDE_ENOMEM;
        done = true;
    }
    return result;
}

static size_t wanted_slot(const counter_slot *slots, size_t count) {
    char name[64];
    snprintf(name, sizeof name, "sde:::%s::%s", library, counter);
    for (size_t i = 0; i < count; i++)
        if (!slots[i].source && slots[i].event->papi && !strcmp(slots[i].event->papi, name))
            return i;
    return count;
}

static void sde_close(void *state) {
    sde_state *s = state;
    PAPI_cleanup_eventset(s->set);
    PAPI_destroy_eventset(&s->set);
    attn_free(s);
}

static int sde_open(void **state, counter_slot *slots, size_t count, attn_error *error) {
    size_t slot = wanted_slot(slots, count);
    if (slot == count)
        return 0;
    int declared = declare_counter();
    const char *refusal = declared == SDE_OK ? papi_component_refusal("sde") : PAPI_strerror(declared);
    if (refusal) {
        counter_slot_refuse(&slots[slot], "sde", "%s", refusal);
        return 0;
    }
    sde_state *s = attn_alloc(1, sizeof *s, "software-defined events", error);
    if (!s)
        return -1;
    s->set = PAPI_NULL;
    s->slot = slot;
    int result = PAPI_create_eventset(&s->set);
    if (result == PAPI_OK)
        result = PAPI_add_named_event(s->set, slots[slot].event->papi);
    if (result != PAPI_OK) {
        counter_slot_refuse(&slots[slot], "sde", "%s: %s", slots[slot].event->papi, PAPI_strerror(result));
        sde_close(s);
        return 0;
    }
    slots[slot].source = &counter_source_sde;
    *state = s;
    return 0;
}

static void sde_start(void *state) {
    sde_state *s = state;
    s->result = PAPI_start(s->set);
}

static void sde_stop(void *state, double declared) {
    sde_state *s = state;
    if (s->result != PAPI_OK)
        return;
    bytes_read += (long long)declared;
    s->result = PAPI_stop(s->set, &s->value);
}

static void sde_read(void *state, counter_slot *slots, size_t count) {
    const sde_state *s = state;
    (void)count;
    slots[s->slot].known = s->result == PAPI_OK;
    slots[s->slot].value = (double)s->value;
}

const counter_source counter_source_sde = {.name = "sde",
                                           .open = sde_open,
                                           .start = sde_start,
                                           .stop = sde_stop,
                                           .read = sde_read,
                                           .close = sde_close};
