#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "bench/run.h"

#include "base/text/hash.h"
#include "bench/evict.h"
#include "bench/gbench.h"
#include "bench/peers/peer.h"
#include "bench/row.h"

#include "attn/alloc.h"

#include <string.h>
#include <sys/resource.h>

int bench_session_add(bench_session *session, const char *row, attn_error *error) {
    bench_case c;
    if (bench_case_parse(&c, row, error))
        return -1;
    for (size_t i = 0; i < session->count; i++)
        if (!strcmp(session->entries[i].row.name, c.name))
            return 0;
    bench_entry *grown = attn_grown(session->entries, session->count, sizeof *grown, "list of cases", error);
    if (!grown)
        return -1;
    session->entries = grown;
    session->entries[session->count++] = (bench_entry){.row = c, .session = session};
    return 0;
}

/* Upper halves of vector registers that a case leaves in use make the SSE instructions of the next case four times
 * slower. Compilers clear them at the end of a function, except GCC with -O1. */
static void clear_vectors(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroupper" ::: "memory");
#endif
}

static void leave(bench_session *session) {
    if (session->state)
        bench_kind_of(&session->current->row)->release(session->state);
    session->state = NULL;
    session->current = NULL;
    pinned_threads_close(&session->threads);
    session->settings.threads = NULL;
}

static int open_threads(bench_session *session, bench_entry *entry) {
    attn_error inner = {0};
    size_t count = bench_peer_of(&entry->row) ? 1 : entry->row.threads; /* a peer has its own */
    if (!pinned_threads_open(&session->threads, count, &inner))
        return 0;
    attn_fail_as(&entry->failure, inner.code, "t: %s", inner.message);
    return inner.code == ATTN_ERROR_UNSUPPORTED ? BENCH_UNSUPPORTED : -1;
}

static int set_up(bench_entry *entry) {
    bench_session *session = entry->session;
    const bench_kind_ops *kind = bench_kind_of(&entry->row);
    session->held_before = attn_alloc_live();
    int result = open_threads(session, entry);
    session->settings.threads = session->threads.threads;
    if (!result)
        result = kind->prepare(&session->state, &entry->row, &session->settings, &entry->failure);
    if (result) {
        leave(session);
        *(result == BENCH_UNSUPPORTED ? &session->unsupported : &session->broken) += 1;
        return -1;
    }
    session->current = entry;
    return 0;
}

static int check_once(bench_entry *entry) {
    bench_session *session = entry->session;
    if (entry->checked)
        return 0;
    if (bench_kind_of(&entry->row)->check(session->state, &entry->check, &entry->failure)) {
        session->broken++;
        return -1;
    }
    if (!entry->check.ok) {
        session->failed++;
        return attn_fail(&entry->failure, "check failed: %s", entry->check.what);
    }
    entry->checked = true;
    return 0;
}

static bool runs_elsewhere(const bench_session *session) {
    return bench_kind_of(&session->current->row)->run_elsewhere != NULL;
}

/* Counts are those of the calling thread: there are none for a case with more threads, or for another process. */
static bool counts(const bench_session *session) {
    return session->probe && !session->threads.threads && !runs_elsewhere(session);
}

static void start_probe(const bench_session *session) {
    if (counts(session) && session->probe->start)
        session->probe->start(session->probe->context);
}

static void stop_probe(const bench_session *session, uint64_t iterations, double cache_bytes) {
    if (counts(session) && session->probe->stop)
        session->probe->stop(session->probe->context, iterations, cache_bytes * (double)iterations);
}

/* One iteration with the delay that was asked for, in place of the kind's own. */
static void run_delayed(void *context) {
    const bench_session *session = context;
    bench_kind_of(&session->current->row)->run(session->state);
    bench_delay_spin(session->delay_loops);
}

static bench_workload workload_of(bench_session *session) {
    if (session->delay_loops)
        return (bench_workload){.run = run_delayed, .state = session};
    const bench_kind_ops *kind = bench_kind_of(&session->current->row);
    return (bench_workload){kind->run, kind->run_elsewhere, session->state};
}

static void mark_part(void *context, int part) {
    const bench_probe *probe = context;
    probe->part(probe->context, part);
}

static bool is_cold(const bench_session *session) {
    return session->current->row.cache == BENCH_COLD;
}

/* Counters by part are read at every border between parts, so this is a run of its own, outside of the timed region. */
static void count_parts(const bench_session *session) {
    const bench_kind_ops *kind = bench_kind_of(&session->current->row);
    const bench_probe *probe = session->probe;
    if (!counts(session) || !probe->part)
        return;
    if (is_cold(session))
        bench_evict();
    if (kind->run_parts && attn_parts_are_marked)
        kind->run_parts(session->state, mark_part, (void *)probe);
    probe->part(probe->context, BENCH_PARTS_END);
}

/* A simulated run has no times to take. */
static void time_parts(bench_entry *entry) {
    const bench_session *session = entry->session;
    const bench_kind_ops *kind = bench_kind_of(&entry->row);
    bool simulated = session->probe && session->probe->each;
    if (kind->run_parts && attn_parts_are_marked && !simulated && !entry->split && !entry->remembered)
        part_times_take(&entry->parts, kind, session->state, is_cold(session) ? bench_evict : NULL);
    entry->split = true;
}

static void calibrate_delay(bench_session *session) {
    const bench_kind_ops *kind = bench_kind_of(&session->current->row);
    session->delay_loops = kind->run && bench_delay_applies(&session->delay, session->current->row.name)
                               ? bench_delay_loops(&session->delay, kind->run, session->state)
                               : 0;
}

/* One run from the set-up's state, so that the same row, seed and program give the same output. -1: a peer failed. */
static int warm_up(bench_entry *entry) {
    bench_session *session = entry->session;
    const bench_kind_ops *kind = bench_kind_of(&entry->row);
    bench_elapsed took;
    size_t floats = 0;
    kind->rewind(session->state);
    if (kind->run_elsewhere) {
        if (!kind->run_elsewhere(session->state, 1, &took, &entry->failure))
            return 0;
        session->broken++;
        return -1;
    }
    start_probe(session);
    kind->run(session->state);
    stop_probe(session, 1, 0);
    if (!session->hash_output || !kind->output)
        return 0;
    const float *output = kind->output(session->state, &floats);
    entry->output_hash = hash_floats(output, floats);
    return 0;
}

/* An earlier process made the same output and checked it. */
static bool is_remembered(bench_entry *entry) {
    const bench_session *session = entry->session;
    if (entry->checked || !session->checked_output || !bench_kind_of(&entry->row)->output)
        return false;
    warm_up(entry);
    return entry->remembered = entry->checked = entry->output_hash == session->checked_output;
}

/* Sets the entry up, checked and warm. One set-up is kept at a time; repetitions share it. */
static int enter(bench_entry *entry) {
    bench_session *session = entry->session;
    if (entry->failure.message[0])
        return -1;
    if (session->current == entry)
        return 0;
    leave(session);
    if (set_up(entry))
        return -1;
    if (!is_remembered(entry) && (check_once(entry) || warm_up(entry))) {
        leave(session);
        return -1;
    }
    count_parts(session);
    calibrate_delay(session);
    return 0;
}

static void emit_number(void *state, const char *name, double value) {
    gbench_counter(state, name, value);
}

static void emit_usage(gbench_state *state, const struct rusage *before, const struct rusage *after) {
    gbench_counter(state, "major_faults", (double)(after->ru_majflt - before->ru_majflt));
    gbench_counter(state, "minor_faults", (double)(after->ru_minflt - before->ru_minflt));
    gbench_counter(state, "involuntary_switches", (double)(after->ru_nivcsw - before->ru_nivcsw));
    gbench_counter(state, "voluntary_switches", (double)(after->ru_nvcsw - before->ru_nvcsw));
}

static void emit_check(gbench_state *state, const bench_entry *entry) {
    const bench_check *check = &entry->check;
    if (entry->output_hash)
        gbench_counter(state, "output_hash", (double)entry->output_hash);
    if (entry->remembered)
        return;
    gbench_counter(state, "check_max_error", check->max_error);
    gbench_counter(state, "check_limit", check->limit);
    gbench_counter(state, "check_rows", (double)check->rows);
}

static void ignore_number(void *to, const char *name, double value) {
    (void)to, (void)name, (void)value;
}

static int run_batch(void *context, uint64_t iterations, double *seconds, double *cpu_seconds) {
    bench_entry *entry = context;
    bench_elapsed took = {0};
    int result =
        bench_kind_of(&entry->row)->run_elsewhere(entry->session->state, iterations, &took, &entry->failure);
    *seconds = took.seconds;
    *cpu_seconds = took.cpu_seconds;
    return result;
}

static void run_region(const bench_session *session, bench_workload work, double cache_bytes,
                       gbench_state *state) {
    start_probe(session);
    while (gbench_keep_running(state))
        work.run(work.state);
    stop_probe(session, gbench_iterations(state), cache_bytes);
}

/* Eviction is outside of what is timed and of what the probe counts. */
static void run_each(const bench_session *session, bench_workload work, double cache_bytes,
                     gbench_state *state) {
    while (gbench_keep_running(state)) {
        if (is_cold(session)) {
            gbench_pause(state);
            bench_evict();
            gbench_resume(state);
        }
        start_probe(session);
        work.run(work.state);
        stop_probe(session, 1, cache_bytes);
    }
}

/* Faults, switches and bytes of another process are not known here. */
static void measure_elsewhere(bench_entry *entry, gbench_state *state) {
    bench_session *session = entry->session;
    const bench_kind_ops *kind = bench_kind_of(&entry->row);
    double cache_bytes;
    if (gbench_elsewhere(state, run_batch, entry)) {
        session->broken++;
        gbench_skip(state, entry->failure.message);
        leave(session);
        return;
    }
    kind->values(session->state, &cache_bytes, emit_number, state);
    emit_check(state, entry);
    if (kind->label)
        gbench_label(state, kind->label(session->state));
}

static void measure(void *context, gbench_state *state) {
    bench_entry *entry = context;
    if (enter(entry)) {
        gbench_skip(state, entry->failure.message);
        return;
    }
    if (runs_elsewhere(entry->session)) {
        measure_elsewhere(entry, state);
        return;
    }
    const bench_session *session = entry->session;
    const bench_probe *probe = session->probe;
    const bench_kind_ops *kind = bench_kind_of(&entry->row);
    struct rusage before, after;
    double cache_bytes;
    kind->values(session->state, &cache_bytes, ignore_number, NULL);
    time_parts(entry);
    kind->rewind(session->state);
    clear_vectors();
    attn_alloc_peak_restart();
    int whose = session->threads.threads ? RUSAGE_SELF : RUSAGE_THREAD;
    getrusage(whose, &before);
    bool each = (probe && probe->each) || is_cold(session);
    (each ? run_each : run_region)(session, workload_of(entry->session), cache_bytes, state);
    getrusage(whose, &after);
    kind->values(session->state, &cache_bytes, emit_number, state);
    part_times_emit(&entry->parts, emit_number, state);
    emit_check(state, entry);
    gbench_counter(state, "peak_bytes", (double)(attn_alloc_peak() - entry->session->held_before));
    if (entry->session->delay_loops)
        gbench_counter(state, "delay_loops", (double)entry->session->delay_loops);
    emit_usage(state, &before, &after);
    if (counts(session) && probe->values)
        probe->values(probe->context, emit_number, state);
}

int bench_session_run(bench_session *session, int argc, char **argv, attn_error *error) {
    size_t matched;
    for (size_t i = 0; i < session->count; i++) {
        bench_entry *entry = &session->entries[i];
        bool elsewhere = bench_kind_of(&entry->row)->run_elsewhere != NULL;
        if ((elsewhere ? gbench_register_elsewhere : gbench_register)(entry->row.name, measure, entry, error))
            return -1;
    }
    return gbench_run(argc, argv, &matched, error);
}

int bench_session_status(const bench_session *session) {
    return session->failed ? 1 : session->broken ? 2 : session->unsupported ? 3 : 0;
}

int bench_session_switch(bench_session *session, const char *row, uint64_t checked, attn_error *error) {
    leave(session);
    session->count = 0;
    session->hash_output = checked != 0;
    session->checked_output = checked;
    return bench_session_add(session, row, error);
}

int bench_session_enter(bench_entry *entry) {
    return enter(entry);
}

bench_workload bench_session_begin(bench_session *session, bool *cold) {
    bench_kind_of(&session->current->row)->rewind(session->state);
    clear_vectors();
    *cold = is_cold(session);
    return workload_of(session);
}

void bench_session_free(bench_session *session) {
    leave(session);
    bench_delay_free(&session->delay);
    attn_free(session->entries);
    *session = (bench_session){0};
}
