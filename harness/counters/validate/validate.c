#include "harness/counters/validate/validate.h"

#include "base/clock.h"
#include "base/home.h"
#include "base/process/child_fate.h"
#include "base/text/json.h"
#include "harness/counters/counter_set.h"
#include "harness/counters/source/callgrind.h"
#include "harness/counters/validate/judge_counter.h"
#include "harness/counters/validate/known_loops.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIZES = 2, RUNS = 5 };
enum { SIMULATED_RUNS = 2, SIMULATED_PART = 8 }; /* slow, but all the same and next to no overhead */
enum { READINGS_MAX = 256 };                     /* of an event: kernels, sizes, runs */

/* One event as it is being checked. */
typedef struct trial {
    const counter_event *event;
    char source[16];
    bool available, pending;
    char reason[sizeof((counter_slot *)NULL)->reason];
    size_t count;
    known_reading readings[READINGS_MAX];
} trial;

/* Those that can be counted at once, from one source. */
typedef struct turn {
    const counter_source *sources[2];
    const known_cpu *cpu;
    const counter_event **events;
    trial **trials;
    size_t count;
} turn;

static trial *trial_of(const turn *t, const char *event) {
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->events[i]->name, event))
            return t->trials[i];
    return NULL;
}

static bool concerns(const turn *t, const known_kernel *k) {
    known_answer answers[KNOWN_ANSWERS_MAX];
    const known_work none = {.cpu = t->cpu};
    size_t count = k->loops && !KNOWN_LOOPS ? 0 : k->answers(&none, 1, answers);
    for (size_t i = 0; i < count; i++)
        if (trial_of(t, answers[i].event))
            return true;
    return false;
}

static void run_once(counter_set *set, const known_kernel *k, known_work *w, size_t n) {
    double begin = clock_now();
    counter_set_start(set);
    double declared = k->run(w, n);
    counter_set_stop(set, 1, declared);
    w->ns = 1e9 * (clock_now() - begin);
}

static void take_readings(const turn *t, const counter_set *set, const known_kernel *k, const known_work *w,
                          size_t n) {
    known_answer answers[KNOWN_ANSWERS_MAX];
    size_t count = k->answers(w, n, answers);
    for (size_t a = 0; a < count; a++)
        for (size_t i = 0; i < set->count; i++) {
            const counter_slot *slot = &set->slots[i];
            trial *of = t->trials[i];
            if (strcmp(slot->event->name, answers[a].event) || of->count == READINGS_MAX)
                continue;
            of->readings[of->count++] =
                (known_reading){k->name,          n,           answers[a].expected, answers[a].least,
                                answers[a].scale, slot->known, slot->value};
        }
}

/* A set of its own, so that simulated caches begin empty; the warm-up fills them. */
static int run_size(const turn *t, const known_kernel *k, known_work *w, size_t n, attn_error *error) {
    counter_set set;
    size_t runs = t->cpu->simulated ? SIMULATED_RUNS : RUNS;
    if (counter_set_open_events(&set, t->sources, t->events, t->count, error))
        return -1;
    run_once(&set, k, w, n);
    for (size_t i = 0; i < runs; i++) {
        run_once(&set, k, w, n);
        counter_set_read(&set);
        take_readings(t, &set, k, w, n);
    }
    counter_set_close(&set);
    return 0;
}

static int run_kernel(const turn *t, const known_kernel *k, attn_error *error) {
    known_work w = {.cpu = t->cpu};
    size_t n = t->cpu->simulated ? (k->n + SIMULATED_PART - 1) / SIMULATED_PART : k->n;
    int result = k->prepare(&w, error);
    for (size_t size = 1; !result && size <= SIZES; size++)
        result = run_size(t, k, &w, n * size, error);
    known_work_free(&w);
    return result < 0 ? -1 : 0;
}

static int run_turn(const turn *t, attn_error *error) {
    for (size_t k = 0; k < known_kernel_count; k++)
        if (concerns(t, known_kernels[k]) && run_kernel(t, known_kernels[k], error))
            return -1;
    return 0;
}

/* Sorts the pending trials into those of this turn, those of a later one, and the unavailable. */
static int next_turn(turn *t, trial *trials, size_t count, attn_error *error) {
    counter_set set;
    size_t pending = 0;
    for (size_t i = 0; i < count; i++)
        if (trials[i].pending)
            t->events[pending++] = trials[i].event;
    t->count = 0;
    if (!pending)
        return 0;
    if (counter_set_open_events(&set, t->sources, t->events, pending, error))
        return -1;
    bool claimed = set.opened > 0;
    for (size_t i = 0, s = 0; i < count; i++) {
        if (!trials[i].pending)
            continue;
        const counter_slot *slot = &set.slots[s++];
        trials[i].available = slot->source != NULL;
        trials[i].pending = !slot->source && slot->crowded && claimed;
        if (!slot->source) {
            memcpy(trials[i].reason, slot->reason, sizeof slot->reason);
            continue;
        }
        snprintf(trials[i].source, sizeof trials[i].source, "%s", counter_slot_label(slot));
        t->events[t->count] = trials[i].event;
        t->trials[t->count++] = &trials[i];
    }
    counter_set_close(&set);
    return 0;
}

/* What is no number is null in JSON, as is what was never read. */
static json_t *number(const verdict *v, double value) {
    return json_finite(v->kernel ? value : NAN);
}

static json_t *text_or_null(const char *text) {
    return text && *text ? json_string(text) : json_null();
}

static int append(json_t *metrics, const trial *t, attn_error *error) {
    verdict v = {.status = VERDICT_UNAVAILABLE};
    if (t->available)
        verdict_judge(&v, t->readings, t->count);
    const char *reason = t->available ? v.reason : t->reason;
    if (t->available && !t->count && !KNOWN_LOOPS)
        reason = "there are no kernels with known answers for this CPU's instruction set";
    json_t *metric =
        json_pack("{ss ss ss so so so so}", "name", t->event->name, "source", t->source, "status",
                  verdict_names[v.status], "expected", number(&v, v.expected), "measured",
                  number(&v, v.measured), "kernel", text_or_null(v.kernel), "reason", text_or_null(reason));
    if (metric && v.status == VERDICT_SCALED)
        json_object_set_new(metric, "factor", json_real(v.factor));
    return json_array_append_new(metrics, metric) ? attn_no_memory(error, NULL) : 0;
}

static bool is_asked(const trial *t) {
    return t->available || strcmp(t->reason, COUNTER_NOT_ASKED);
}

int validate_source(json_t *metrics, const counter_source *source, const counter_event *const *events,
                    size_t count, const known_cpu *cpu, attn_error *error) {
    int result = -1;
    turn t = {.sources = {source}, .cpu = cpu};
    trial *trials = attn_alloc(count, sizeof *trials, "validation", error);
    t.events = attn_alloc(count, sizeof *t.events, "validation", error);
    t.trials = attn_alloc(count, sizeof *t.trials, "validation", error);
    if (!trials || !t.events || !t.trials)
        goto done;
    for (size_t i = 0; i < count; i++) {
        trials[i] = (trial){.event = events[i], .pending = true};
        snprintf(trials[i].source, sizeof trials[i].source, "%s", source->name);
    }
    do {
        if (next_turn(&t, trials, count, error) || run_turn(&t, error))
            goto done;
    } while (t.count);
    result = 0;
    for (size_t i = 0; i < count && !result; i++)
        if (is_asked(&trials[i]))
            result = append(metrics, &trials[i], error);
done:
    attn_free(trials);
    attn_free(t.events);
    attn_free(t.trials);
    return result;
}

/* ---- Sources */

static int append_unavailable(json_t *metrics, const counter_event *const *events, size_t count,
                              const char *why, attn_error *error) {
    for (size_t i = 0; i < count; i++) {
        trial t = {.event = events[i], .source = "callgrind"};
        snprintf(t.reason, sizeof t.reason, "callgrind: %s", why);
        if (events[i]->callgrind && append(metrics, &t, error))
            return -1;
    }
    return 0;
}

static bool is_among(const counter_event *const *events, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(events[i]->name, name))
            return true;
    return false;
}

/* It validates every event; those of the list are taken. */
static int take_metrics(json_t *metrics, const char *text, const counter_event *const *events, size_t count,
                        attn_error *error) {
    json_error_t why;
    json_t *root = json_loads(text ? text : "", 0, &why), *metric;
    const json_t *theirs = json_object_get(root, "metrics");
    int result = json_is_array(theirs) ? 0 : attn_fail(error, "what it printed is no validation");
    size_t i;
    json_array_foreach(theirs, i, metric) {
        if (!result && is_among(events, count, json_text(metric, "name")) &&
            json_array_append(metrics, metric))
            result = attn_no_memory(error, NULL);
    }
    json_decref(root);
    return result;
}

/* The same command in a process under valgrind. A fault there is a reason, not an error. */
static int validate_callgrind(json_t *metrics, const counter_event *const *events, size_t count,
                              attn_error *error) {
    static const char *const words[] = {"counters", "validate", "--counters", "callgrind",
                                        "--format", "json",     NULL};
    attn_error why = {0};
    child_result r = {0};
    char fate[CHILD_FATE];
    char *program = home_executable(error);
    int cpu = program ? child_pick_cpu(-1, error) : -1;
    if (cpu < 0) {
        attn_free(program);
        return -1;
    }
    bool failed = callgrind_run(&r, program, words, cpu, 0, &why) != 0;
    child_fate(fate, &r);
    if (!failed && r.status)
        failed = attn_fail(&why, "it %s under valgrind: %s", fate, r.message) != 0;
    failed = failed || take_metrics(metrics, r.output, events, count, &why);
    attn_free(r.output);
    attn_free(program);
    return failed ? append_unavailable(metrics, events, count, why.message, error) : 0;
}

static int validate_one(json_t *metrics, const counter_source *source, const char *word,
                        const counter_event *const *events, size_t count, const known_cpu *cpu,
                        attn_error *error) {
    bool simulated = source == &counter_source_callgrind;
    if (callgrind_is_here() && !simulated)
        return 0; /* what others read here is valgrind's doing */
    if (callgrind_is_here() || !simulated)
        return validate_source(metrics, source, events, count, cpu, error);
    return word && !strcmp(word, "auto") ? 0 : validate_callgrind(metrics, events, count, error);
}

json_t *validate_metrics(const char *word, const counter_event *const *events, size_t count,
                         attn_error *error) {
    const counter_source *const *sources = counter_sources(word ? word : "auto");
    json_t *metrics = json_array();
    int result = metrics ? 0 : attn_no_memory(error, NULL);
    known_cpu cpu;
    known_cpu_read(&cpu);
    for (size_t i = 0; !result && sources[i]; i++)
        result = validate_one(metrics, sources[i], word, events, count, &cpu, error);
    if (!result)
        return metrics;
    json_decref(metrics);
    return NULL;
}

const json_t *validation_find(const json_t *metrics, const char *name, const char *source) {
    size_t i;
    json_t *metric;
    json_array_foreach((json_t *)metrics, i, metric) {
        if (!strcmp(json_text(metric, "name"), name) && !strcmp(json_text(metric, "source"), source))
            return metric;
    }
    return NULL;
}

const char *validation_status(const json_t *metric) {
    return json_text(metric, "status");
}
