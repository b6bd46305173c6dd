#include "harness/gate/selftest.h"

#include "base/process/child.h"
#include "base/process/scratch.h"
#include "base/status.h"
#include "base/text/json.h"
#include "harness/machine/blas.h"
#include "harness/machine/machine.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "build_info.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t JOURNAL_LIMIT = (size_t)64 << 20, PROGRAM_LIMIT = (size_t)1 << 30;

/* What makes runs parts of one measurement. */
static json_t *identity(const selftest_settings *s) {
    char hash[PLAN_HASH], fingerprint[MACHINE_FINGERPRINT];
    machine m;
    blas_state blas;
    machine_read(&m, NULL);
    blas_read(&blas);
    machine_fingerprint(fingerprint, &m, blas.library, blas.core);
    plan_hash(hash, s->gate.plan, "off");
    return json_pack("{si ss ss ss ss ss ss sf sf}", "selftest", 5, "way", gate_way_names[s->gate.way],
                     "commit", BUILD_COMMIT, "fingerprint", fingerprint, "metric",
                     gate_metric_names[s->gate.metric], "plan", s->gate.plan->name, "plan_sha", hash,
                     "budget_seconds", s->gate.budget, "min_effect", s->gate.rule.min_effect);
}

static void count_run(selftest_count counts[SELFTEST_LEVELS], const selftest_settings *s, const json_t *run) {
    for (size_t i = 0; i < s->levels; i++) {
        if (fabs(s->percent[i] - json_number(run, "percent")) > 1e-9)
            continue;
        counts[i].runs++;
        counts[i].found += json_is_true(json_object_get(run, "found"));
        counts[i].wrong += json_number(run, "wrong") > 0;
        counts[i].wrong_fast += json_number(run, "wrong_fast") > 0;
        counts[i].undecided += json_number(run, "undecided") > 0;
        counts[i].undecided_cases += json_number(run, "undecided");
        counts[i].seconds += json_number(run, "seconds");
        counts[i].load += json_number(run, "load");
        counts[i].highest_load = fmax(counts[i].highest_load, json_number(run, "load"));
    }
}

/* A last line that was cut short is dropped; *keep is how many bytes are whole. */
static int read_journal(selftest_count counts[SELFTEST_LEVELS], const selftest_settings *s, size_t *keep,
                        attn_error *error) {
    size_t size, number = 0;
    char *text = attn_read_file(s->journal, JOURNAL_LIMIT, &size, error);
    json_t *own = identity(s);
    int result = text && own ? 0 : -1;
    *keep = 0;
    for (char *line = text, *end; !result && line && (end = strchr(line, '\n')); line = end + 1) {
        json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(object))
            result = attn_fail(error, "%s:%zu: not a line of a selftest's journal", s->journal, number + 1);
        else if (!number && !json_equal(object, own))
            result = attn_fail(
                error, "%s: of another machine, plan, budget, effect or commit; give another --journal",
                s->journal);
        else if (number)
            count_run(counts, s, object);
        json_decref(object);
        number++;
        *keep = (size_t)(end + 1 - text);
    }
    attn_free(text);
    json_decref(own);
    return result;
}

static int append(FILE *journal, const json_t *line, const char *path, attn_error *error) {
    if (!journal)
        return 0;
    if (!line || json_dumpf(line, journal, JSON_COMPACT) || fputc('\n', journal) == EOF || fflush(journal) ||
        fsync(fileno(journal)))
        return attn_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    return 0;
}

static FILE *open_journal(selftest_count counts[SELFTEST_LEVELS], const selftest_settings *s,
                          attn_error *error) {
    struct stat status;
    size_t keep = 0;
    if (!stat(s->journal, &status) &&
        (read_journal(counts, s, &keep, error) || truncate(s->journal, (off_t)keep))) {
        attn_fail(error, "%s: %s", s->journal, strerror(errno));
        return NULL;
    }
    FILE *journal = fopen(s->journal, "a");
    json_t *own = identity(s);
    int failed = !journal ? attn_fail(error, "%s: cannot be written: %s", s->journal, strerror(errno))
                 : keep   ? 0
                          : append(journal, own, s->journal, error);
    json_decref(own);
    if (!failed)
        return journal;
    if (journal)
        fclose(journal);
    return NULL;
}

static int count_row(double *count, const selftest_settings *s, const bench_case *row, const char *delay,
                     attn_error *error) {
    const measure_settings settings = {.program = s->program,
                                       .seed = s->gate.plan->seed,
                                       .simulated = true,
                                       .delay = delay,
                                       .cpu = s->gate.cpu};
    process_value value;
    if (gate_process(&value, row, &settings, error))
        return -1;
    *count = value.instructions;
    return value.outcome == PROCESS_MEASURED ? 0 : attn_fail(error, "%s: %s", row->name, value.why);
}

/* Turns of the delay's loop that add this percentage of the row's instructions. */
static int count_turns(double *turns, const selftest_settings *s, const bench_case *row, double percent,
                       attn_error *error) {
    static const int some = 1000;
    double plain, longer;
    char *delay = attn_format(error, "^%s$=%dloops", row->name, some);
    int result =
        !delay || count_row(&plain, s, row, NULL, error) || count_row(&longer, s, row, delay, error) ? -1 : 0;
    attn_free(delay);
    if (result)
        return -1;
    if (!(longer > plain))
        return attn_fail(error, "%s: a delay adds no instructions", row->name);
    *turns = round(plain * percent / 100 / ((longer - plain) / some));
    return 0;
}

/* "^row$=5%" for the row of this run; rows have no characters that mean something in an expression. NULL: an
 * error, or no delay. */
static char *delay_of(const selftest_settings *s, double percent, size_t victim, attn_error *error) {
    const bench_case *row = &s->gate.plan->rows[victim];
    double turns = 0;
    if (!(percent > 0))
        return NULL;
    if (s->gate.metric == GATE_TIME)
        return attn_format(error, "^%s$=%g%%", row->name, percent);
    return count_turns(&turns, s, row, percent, error)
               ? NULL
               : attn_format(error, "^%s$=%.0floops", row->name, turns);
}

/* Whether the gate stops the candidate for this case. */
static bool stops(const gate_case *c) {
    for (size_t i = 0; i < GATE_BYTE_COUNTS; i++)
        if (gate_compare_bytes(c->bytes[i][GATE_BASE], c->bytes[i][GATE_CANDIDATE]) == GATE_BYTES_GREW)
            return true;
    return gate_verdict_status(c->finding.verdict) == STATUS_FAILED;
}

static json_t *describe_run(const gate *g, double percent, size_t victim) {
    size_t wrong = 0, wrong_fast = 0, undecided = 0;
    double load = NAN;
    const gate_finding *f = &g->cases[victim].finding;
    bool slowed = percent > 0;
    for (size_t i = 0; i < g->count; i++) {
        gate_verdict verdict = g->cases[i].finding.verdict;
        wrong += stops(&g->cases[i]) && !(slowed && i == victim && verdict == GATE_SLOWER);
        wrong_fast += verdict == GATE_FASTER;
        undecided += verdict != GATE_SLOWER && verdict != GATE_FASTER && verdict != GATE_SAME;
    }
    if (getloadavg(&load, 1) != 1)
        load = -1;
    return json_pack("{sf sI sI sI sf sf ss sb ss sf sI}", "percent", percent, "wrong", (json_int_t)wrong,
                     "wrong_fast", (json_int_t)wrong_fast, "undecided", (json_int_t)undecided, "seconds",
                     g->seconds, "load", load, "row", slowed ? g->cases[victim].row->name : "", "found",
                     slowed && f->verdict == GATE_SLOWER, "verdict", gate_verdict_name(f->verdict),
                     "change_percent", isfinite(f->estimate) ? 100 * expm1(f->estimate) : 0.0, "pairs",
                     (json_int_t)g->cases[victim].count);
}

/* 1: a stop signal came. */
static int run_once(json_t **run, const selftest_settings *s, const char *copy, double percent, size_t round,
                    attn_error *error) {
    gate g;
    gate_settings settings = s->gate;
    attn_error inner = {0};
    size_t victim = round % s->gate.plan->count;
    settings.seed += 1000 * round + (size_t)(10 * percent);
    settings.silent = true;
    char *delay = delay_of(s, percent, victim, &inner);
    if (inner.code && child_stop_signal())
        return 1;
    int result = inner.code || gate_init(&g, &settings, &inner) ? -1 : 0;
    if (!result) {
        g.side[GATE_BASE].program = s->program;
        g.side[GATE_CANDIDATE].program = copy;
        g.side[GATE_CANDIDATE].delay = delay;
        result = (settings.metric == GATE_TIME ? gate_run : gate_run_counts)(&g, &inner);
        bool stopped = !result && g.interrupted;
        *run = result || stopped ? NULL : describe_run(&g, percent, victim);
        result = stopped ? 1 : result;
        gate_free(&g);
    }
    attn_free(delay);
    return result < 0 ? attn_fail_as(error, inner.code, "%s", inner.message) : result;
}

static void show(const selftest_settings *s, size_t round, const json_t *run) {
    double percent = json_number(run, "percent");
    char what[64] = "nothing slowed down";
    if (percent > 0)
        snprintf(what, sizeof what, "%g%% in one case: %s", percent, json_text(run, "verdict"));
    fprintf(stderr, "round %zu of %zu, %s; %.0f false alarms, %.0f undecided; %.0f s\n", round + 1, s->rounds,
            what, json_number(run, "wrong"), json_number(run, "undecided"), json_number(run, "seconds"));
}

static int run_rounds(selftest_count counts[SELFTEST_LEVELS], const selftest_settings *s, const char *copy,
                      FILE *journal, attn_error *error) {
    int result = 0;
    for (size_t round = 0; round < s->rounds && !result; round++)
        for (size_t i = s->first; i < s->levels && !result; i++) {
            json_t *run = NULL;
            if (counts[i].runs > round)
                continue;
            result = run_once(&run, s, copy, s->percent[i], round, error);
            if (!result)
                result = append(journal, run, s->journal, error);
            if (!result) {
                count_run(counts, s, run);
                show(s, round, run);
            }
            json_decref(run);
        }
    return result;
}

static char *copy_program(const char *folder, const char *program, attn_error *error) {
    size_t size;
    char *bytes = attn_read_file(program, PROGRAM_LIMIT, &size, error);
    char *copy = bytes ? attn_format(error, "%s/candidate", folder) : NULL;
    if (copy && (attn_write_file(copy, bytes, size, error) || chmod(copy, 0700))) {
        attn_fail(error, "%s: cannot be made executable: %s", copy, strerror(errno));
        attn_free(copy);
        copy = NULL;
    }
    attn_free(bytes);
    return copy;
}

int selftest_run(selftest_count counts[SELFTEST_LEVELS], const selftest_settings *s, attn_error *error) {
    FILE *journal = NULL;
    memset(counts, 0, SELFTEST_LEVELS * sizeof *counts);
    gate_side side = {.program = s->program};
    selftest_settings chosen = *s;
    if (gate_side_ask(&side, s->gate.cpu, error))
        return -1;
    chosen.gate.way = gate_turns_version(&side) ? GATE_TURNS : GATE_PROCESSES;
    chosen.gate.turns = gate_turns_version(&side);
    json_decref(side.info);
    s = &chosen;
    if (s->journal && !(journal = open_journal(counts, s, error)))
        return -1;
    char *folder = scratch_make(error);
    char *copy = folder ? copy_program(folder, s->program, error) : NULL;
    int result = copy ? run_rounds(counts, s, copy, journal, error) : -1;
    scratch_remove(folder);
    attn_free(copy);
    attn_free(folder);
    if (journal && fclose(journal) && result >= 0)
        result = attn_fail(error, "%s: cannot be written: %s", s->journal, strerror(errno));
    return result < 0 ? -1 : 0;
}
