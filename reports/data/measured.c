#include "reports/data/measured.h"

#include "attn/alloc.h"
#include "base/statistics/disturbed.h"
#include "bench/peers/peer.h"
#include "harness/machine/survey.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the wall clock, or of what the case is timed by. */
static int summarize_times(process_summary *summary, process_sample *times, const results_case *c, bool wall,
                           attn_error *error) {
    for (size_t i = 0; i < c->count; i++) {
        const results_sample *s = &c->samples[i];
        times[i] = (process_sample){wall || c->t > 1 ? s->real_time : s->cpu_time, s->process};
    }
    return process_summarize(summary, times, c->count, error);
}

static void add_up(measured *m, const results_case *c, const process_sample *times) {
    double all = 0, own = 0;
    m->best = INFINITY;
    for (size_t i = 0; i < c->count; i++) {
        const results_sample *s = &c->samples[i];
        m->disturbed += s->disturbed;
        all += s->real_time * s->iterations;
        own += s->cpu_time * s->iterations;
        if (times[i].value < m->best)
            m->best = times[i].value;
    }
    m->lost = lost_share(all, own);
}

static int summarize(measured *m, const results_case *c, attn_error *error) {
    process_summary wall, time;
    *m = (measured){
        .c = c, .variant = attn_variant_find(c->type), .runs = c->count, .roof = NAN, .sgemm = NAN};
    process_sample *times = attn_alloc(c->count, sizeof *times, "samples", error);
    int result = times && !summarize_times(&wall, times, c, true, error) &&
                         !summarize_times(&time, times, c, false, error)
                     ? 0
                     : -1;
    if (!result) {
        add_up(m, c, times);
        m->wall = wall.median;
        m->time = time.median;
        m->processes = time.processes;
        m->low = time.low;
        m->high = time.high;
        m->interval = time.interval;
        m->gflops = c->flops / m->time;
        m->gbytes = c->bytes / m->time;
    }
    attn_free(times);
    return result;
}

static void add_bandwidth(machine_roofs *roofs, size_t working_set, double gbytes) {
    size_t at = 0;
    while (at < roofs->count && roofs->read[at].working_set < working_set)
        at++;
    if (at < roofs->count && roofs->read[at].working_set == working_set) {
        roofs->read[at].gbytes = fmax(roofs->read[at].gbytes, gbytes);
        return;
    }
    if (roofs->count == ROOFS)
        return;
    memmove(&roofs->read[at + 1], &roofs->read[at], (roofs->count - at) * sizeof roofs->read[0]);
    roofs->read[at].working_set = working_set;
    roofs->read[at].gbytes = gbytes;
    roofs->count++;
}

static void add_peak(machine_roofs *roofs, const char *isa, double gflops) {
    size_t at = 0;
    while (at < roofs->isas && strcmp(roofs->by_isa[at].isa, isa))
        at++;
    if (at == ROOFS)
        return;
    roofs->by_isa[at].gflops = at < roofs->isas ? fmax(roofs->by_isa[at].gflops, gflops) : gflops;
    roofs->by_isa[at].isa = isa;
    roofs->isas += at == roofs->isas;
}

/* The best run of the best row is the roof: slower rows are other instruction sets or sizes. */
static void find_roofs(machine_roofs *roofs, const report_data *data, size_t threads) {
    *roofs = (machine_roofs){.threads = threads, .flops = NAN, .sgemm = NAN};
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        double gflops = m->c->flops / m->best, gbytes = m->c->bytes / m->best;
        if (m->c->t != threads)
            continue;
        if (!strcmp(m->c->what, "flops")) {
            roofs->flops = fmax(roofs->flops, gflops);
            add_peak(roofs, m->c->isa, gflops);
        } else if (!strcmp(m->c->what, "sgemm"))
            roofs->sgemm = fmax(roofs->sgemm, gflops);
        else if (!strcmp(m->c->what, "read") && gbytes > 0)
            add_bandwidth(roofs, m->c->working_set * threads, gbytes);
    }
    roofs->peak = fmax(roofs->flops, roofs->sgemm);
}

static size_t most_threads(const report_data *data) {
    size_t most = 1;
    for (size_t i = 0; i < data->count; i++)
        if (!strcmp(data->cases[i].c->kind, "machine") && data->cases[i].c->t > most)
            most = data->cases[i].c->t;
    return most;
}

static void find_memory_levels(report_data *data) {
    survey s;
    survey_of(&s, data->results);
    for (size_t i = 0; i < s.levels && i < MEMORY_LEVELS; i++, data->levels++) {
        data->level[i].from = s.level[i].in.from;
        data->level[i].to = s.level[i].in.to;
        if (s.level[i].memory)
            strcpy(data->level[i].name, "memory");
        else
            snprintf(data->level[i].name, sizeof data->level[i].name, "L%zu", i + 1);
        if (i)
            snprintf(data->level[i - 1].after, sizeof data->level[i - 1].after, "%s/%s",
                     data->level[i - 1].name, data->level[i].name);
    }
}

static const char *level_of_kernel(const results *r, double bytes) {
    static const char *const keys[] = {"l1d_bytes", "l2_bytes", "l3_bytes"};
    static const char *const names[] = {"L1", "L2", "L3"};
    const json_t *machine = json_object_get(r->own, "machine");
    bool known = false;
    for (size_t i = 0; i < 3; i++) {
        double size = json_number_value(json_object_get(machine, keys[i]));
        known |= size > 0;
        if (size >= bytes)
            return names[i];
    }
    return known ? "memory" : "";
}

const char *machine_level(const report_data *data, double bytes) {
    for (size_t i = 0; i < data->levels; i++) {
        if (bytes <= data->level[i].to || i + 1 == data->levels)
            return data->level[i].name;
        if (bytes < data->level[i + 1].from)
            return data->level[i].after;
    }
    return level_of_kernel(data->results, bytes);
}

double machine_bandwidth(const machine_roofs *roofs, double bytes) {
    size_t at = 0;
    while (at + 1 < roofs->count && (double)roofs->read[at + 1].working_set <= bytes)
        at++;
    double best = NAN; /* a set that was slower than a larger one was disturbed */
    for (size_t i = at; i < roofs->count; i++)
        if (!(best >= roofs->read[i].gbytes))
            best = roofs->read[i].gbytes;
    return best;
}

/* NULL: no roofs were measured with that many cores at once. */
static const machine_roofs *roofs_of(const report_data *data, size_t threads) {
    if (threads <= 1)
        return &data->roofs;
    return threads == data->roofs_all.threads ? &data->roofs_all : NULL;
}

static void place_under_roofs(report_data *data) {
    for (size_t i = 0; i < data->count; i++) {
        measured *m = &data->cases[i];
        const machine_roofs *roofs = roofs_of(data, m->c->t);
        if (*m->c->what || !roofs)
            continue;
        double by_memory = m->c->flops / m->c->bytes * machine_bandwidth(roofs, m->c->bytes);
        m->roof = m->gflops / (by_memory < roofs->peak ? by_memory : roofs->peak);
        m->sgemm = m->gflops / roofs->sgemm;
    }
}

/* Appends those of peers, or the others. */
static int take_cases(report_data *data, bool of_peers, attn_error *error) {
    for (size_t i = 0; i < data->results->count; i++) {
        const results_case *c = &data->results->cases[i];
        if (c->error || !c->count || (bench_peer_find(c->impl) != NULL) != of_peers)
            continue;
        if (summarize(&data->cases[data->count], c, error))
            return -1;
        data->count++;
        data->peer_count += of_peers;
    }
    return 0;
}

int report_data_init(report_data *data, const results *r, attn_error *error) {
    *data = (report_data){.results = r};
    data->cases = attn_alloc(r->count, sizeof *data->cases, "cases", error);
    if (!data->cases)
        return -1;
    if (take_cases(data, false, error) || take_cases(data, true, error)) {
        report_data_free(data);
        return -1;
    }
    data->count -= data->peer_count;
    data->peers = data->cases + data->count;
    find_roofs(&data->roofs, data, 1);
    if (most_threads(data) > 1)
        find_roofs(&data->roofs_all, data, most_threads(data));
    find_memory_levels(data);
    place_under_roofs(data);
    return 0;
}

void report_data_free(report_data *data) {
    attn_free(data->cases);
    *data = (report_data){0};
}

measured_samples measured_all_samples(const report_data *data) {
    measured_samples all = {0};
    double ran = 0;
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        all.count += m->runs;
        all.disturbed += m->disturbed;
        for (size_t k = 0; k < m->c->count; k++) {
            all.passed += m->c->samples[k].real_time * m->c->samples[k].iterations;
            ran += m->c->samples[k].cpu_time * m->c->samples[k].iterations;
        }
    }
    all.lost = all.passed > 0 ? lost_share(all.passed, ran) : NAN;
    return all;
}

measured_checks measured_all_checks(const report_data *data) {
    measured_checks all = {0};
    for (size_t i = 0; i < data->results->count; i++)
        all.failed += data->results->cases[i].error && !data->results->cases[i].unsupported;
    for (size_t i = 0; i < data->count; i++)
        all.passed += isnan(data->cases[i].c->max_error) ? 0 : 1;
    return all;
}

static void widen(size_t *least, size_t *most, size_t value) {
    if (!*most || value < *least)
        *least = value;
    if (value > *most)
        *most = value;
}

void measured_basis_add(measured_basis *basis, const measured *m) {
    widen(&basis->least_runs, &basis->most_runs, m->runs);
    widen(&basis->least_processes, &basis->most_processes, m->processes);
    basis->no_interval |= !m->interval;
}

static void count_text(char text[RUNS_TEXT], size_t least, size_t most, const char *one,
                       const char *several) {
    if (least == most)
        snprintf(text, RUNS_TEXT, "%zu %s", most, most == 1 ? one : several);
    else
        snprintf(text, RUNS_TEXT, "%zu to %zu %s", least, most, several);
}

void runs_text(char text[RUNS_TEXT], size_t least, size_t most) {
    count_text(text, least, most, "run", "runs");
}

void measured_basis_text(char *text, size_t size, const measured_basis *basis) {
    char runs[RUNS_TEXT], processes[RUNS_TEXT];
    runs_text(runs, basis->least_runs, basis->most_runs);
    count_text(processes, basis->least_processes, basis->most_processes, "process", "processes");
    snprintf(text, size, "median of %s in %s, bars: %s", runs, processes,
             basis->no_interval ? "least to most" : "95% interval");
}

void bytes_text(char *to, size_t size, double bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB"};
    size_t unit = 0;
    for (; bytes >= 1000 && unit < 3; unit++)
        bytes /= 1024;
    snprintf(to, size, "%.3g %s", bytes, units[unit]);
}

size_t measured_type_rank(const measured *m) {
    size_t rank = 0;
    while (attn_variants[rank] && attn_variants[rank] != m->variant)
        rank++;
    return rank;
}

bool measured_apart(const measured *a, const measured *b) {
    return process_apart((process_range){a->low, a->high, a->processes},
                         (process_range){b->low, b->high, b->processes});
}

bool measured_varies(const measured *m) {
    return m->high - m->low > MEASURED_VARIES * m->time;
}
