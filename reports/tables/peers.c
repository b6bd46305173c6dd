/* Our time over that of the fastest peer, on every case that a peer ran too. */
#include "bench/peers/peer.h"
#include "reports/tables/measured_row.h"
#include "reports/tables/table_list.h"

#include "attn/alloc.h"

#include <math.h>
#include <string.h>

/* The same case, by whoever ran it. A peer's path is in its label. */
static bool same_work(const results_case *a, const results_case *b) {
    return !strcmp(a->kind, b->kind) && case_same(a, b, FIELDS_ALL & ~(case_fields)(FIELD_IMPL | FIELD_PATH));
}

static const measured *fastest_peer(const report_data *data, const measured *m, const char *impl) {
    const measured *best = NULL;
    for (size_t i = 0; i < data->peer_count; i++) {
        const measured *peer = &data->peers[i];
        if (same_work(peer->c, m->c) && (!impl || !strcmp(peer->c->impl, impl)) &&
            (!best || peer->time < best->time))
            best = peer;
    }
    return best;
}

/* Of our implementations of the same case the fastest stands for us. */
static bool is_compared(const report_data *data, const measured *m) {
    if (!results_is_model(m->c) || !fastest_peer(data, m, NULL))
        return false;
    for (size_t i = 0; i < data->count; i++)
        if (&data->cases[i] != m && same_work(data->cases[i].c, m->c) && data->cases[i].time < m->time)
            return false;
    return true;
}

static const case_column shape[] = {
    {"model", FIELD_MODEL},   {"type", FIELD_TYPE}, {"mode", FIELD_MODE}, {"part", FIELD_PART},
    {"L", FIELD_L},           {"q", FIELD_Q},       {"dc", FIELD_DC},     {"hkv", FIELD_HKV},
    {"t", FIELD_THREADS},     {"pos", FIELD_POS},   {"h", FIELD_H},       {"d", FIELD_D},
    {"layers", FIELD_LAYERS}, {"T", FIELD_T},       {"left", FIELD_LEFT}, {"B", FIELD_B}};
enum { SHAPE = sizeof shape / sizeof *shape, SHOWN = 9 };

static int by_shape(const void *left, const void *right) {
    static const case_field order[] = {FIELD_MODEL, FIELD_PART, FIELD_MODE, FIELD_THREADS, FIELD_POS, FIELD_D,
                                       FIELD_H,     FIELD_HKV,  FIELD_DC,   FIELD_L,       FIELD_Q};
    const measured *a = *(const measured *const *)left, *b = *(const measured *const *)right;
    int kind = strcmp(a->c->kind, b->c->kind);
    return kind ? kind : measured_compare(a, b, order, sizeof order / sizeof *order);
}

static const char *verdict(const measured *m, const measured *peer) {
    if (!measured_apart(m, peer))
        return "no difference";
    return m->time < peer->time ? "we are faster" : "the peer is faster";
}

static void add_row(report_table *t, const report_data *data, const measured *m) {
    const measured *best = fastest_peer(data, m, NULL);
    double low = m->low / best->high, high = m->high / best->low;
    json_t *row = json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:s}", "peer", best->c->label, "peer_ms",
                            four_digits(best->time / 1e6), "ratio", four_digits(m->time / best->time),
                            "ratio_low", four_digits(low), "ratio_high", four_digits(high), "verdict",
                            verdict(m, best), "peer_name", best->c->name);
    int bad = !row || measured_row_add(row, m);
    for (size_t i = 0; i < SHAPE && !bad; i++)
        bad = json_object_set_new(row, shape[i].key, case_value(m->c, shape[i].field));
    for (const bench_peer *peer = bench_peers; peer->name && !bad; peer++) {
        const measured *one = fastest_peer(data, m, peer->name);
        bad = json_object_set_new(row, peer->name, four_digits(one ? m->time / one->time : NAN));
    }
    if (!bad && json_object_set_new(row, "ratio_range", json_sprintf("%.2f to %.2f", low, high)))
        bad = -1;
    if (bad) {
        json_decref(row);
        row = NULL;
    }
    table_add(&t->t, row);
}

static void columns(report_table *t) {
    static const report_column_row values[] = {{"time_ms", "ours, ms", 0},
                                               {"peer_ms", "fastest peer, ms", 0},
                                               {"ratio", "ours / peer", 0},
                                               {"ratio_range", "low to high", 0},
                                               {"verdict", "against it", 0},
                                               {"peer", "fastest peer", 0},
                                               {"ratio_low", "ratio, low", REPORT_IN_FILES},
                                               {"ratio_high", "ratio, high", REPORT_IN_FILES},
                                               {"runs", "runs", REPORT_IN_FILES},
                                               {"bars", "bars", REPORT_IN_FILES},
                                               {"name", "row", REPORT_IN_FILES},
                                               {"peer_name", "the peer's row", REPORT_IN_FILES},
                                               {NULL, NULL, 0}};
    for (size_t i = 0; i < SHAPE; i++) {
        report_column(t, shape[i].key, "%s", shape[i].key);
        if (i >= SHOWN)
            report_column_in_files(t);
    }
    report_columns(t, values);
    for (const bench_peer *peer = bench_peers; peer->name; peer++) {
        report_column(t, peer->name, "ours / %s", peer->title);
        report_column_in_files(t);
    }
}

void table_peers(report_table *t, const table_sources *from) {
    const report_data *data = from->data;
    size_t rows, faster = 0, slower = 0;
    report_table_init(t, "Peers");
    columns(t);
    const measured **order = measured_select(&rows, t, data, is_compared, by_shape);
    for (size_t i = 0; i < rows; i++) {
        const measured *peer = fastest_peer(data, order[i], NULL);
        if (measured_apart(order[i], peer)) {
            faster += order[i]->time < peer->time;
            slower += order[i]->time > peer->time;
        }
        add_row(t, data, order[i]);
    }
    attn_free(order);
    if (!data->peer_count)
        t->presence = TABLE_NOT_GIVEN;
    snprintf(t->note, sizeof t->note,
             "Our time over that of the fastest peer, below 1 where we are faster. We are faster in %zu of "
             "%zu cases and slower in %zu; in the others no difference was found: the intervals meet (of one "
             "process: or the gap between them is no wider than they are). The same work on the same CPU in "
             "the same sweep; outputs were checked before anything was timed. Medians of CPU time, with "
             "several threads of the wall clock. A peer is taken at its best: it tries the ways to write the "
             "case, and keeps the fastest.",
             faster, rows, slower);
}
