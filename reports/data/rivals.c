#include "reports/data/rivals.h"

#include "reports/data/case_fields.h"
#include "reports/data/case_names.h"

#include <math.h>
#include <string.h>

enum {
    SAME_LAYER = FIELD_L | FIELD_Q | FIELD_B | FIELD_H | FIELD_D | FIELD_POS | FIELD_PART | FIELD_CACHE |
                 FIELD_THREADS,
    SAME_ENCODER = FIELD_MODEL | FIELD_MODE | FIELD_T | FIELD_Q | FIELD_LEFT | FIELD_LAYERS | FIELD_H |
                   FIELD_D | FIELD_K | FIELD_INPUT | FIELD_CACHE | FIELD_THREADS,
    ONE_RIVAL = FIELD_TYPE | FIELD_DC | FIELD_HKV | FIELD_KV
};

/* As it goes unless something else is asked for, but for the type of the cache. */
static bool is_plain(const results_case *c) {
    char said[80] = "";
    unsaid_append(said, sizeof said, c, case_fields_unsaid() & ~(case_fields)FIELD_KV);
    return !*said;
}

static bool is_base(const results_case *c) {
    return !strcmp(c->type, "mha") && !case_rounds_cache(c);
}

static size_t rank_of(const rival *a) {
    return is_base(a->m->c) ? 0 : 1 + measured_type_rank(a->m);
}

static void add(rivals *r, const measured *m) {
    size_t at = 0;
    while (at < r->count && !case_same(r->of[at].m->c, m->c, ONE_RIVAL))
        at++;
    if (at < r->count && r->of[at].m->time <= m->time)
        return;
    if (at < RIVALS)
        r->of[at].m = m;
    r->count += at == r->count && at < RIVALS;
}

static void sort(rivals *r) {
    for (size_t i = 1; i < r->count; i++)
        for (size_t k = i; k && rank_of(&r->of[k]) < rank_of(&r->of[k - 1]); k--) {
            rival swap = r->of[k];
            r->of[k] = r->of[k - 1];
            r->of[k - 1] = swap;
        }
}

/* Those that `fields` say are of one setting with `like`, which is MHA's. */
static void gather(rivals *r, const report_data *data, const results_case *like, case_fields fields) {
    *r = (rivals){0};
    for (size_t i = 0; i < data->count; i++) {
        const measured *m = &data->cases[i];
        if (!strcmp(m->c->kind, like->kind) && !strcmp(m->c->mode, like->mode) &&
            case_same(m->c, like, fields) && m->c->kv_bytes_live > 0)
            add(r, m);
    }
    sort(r);
    if (!r->count || !is_base(r->of[0].m->c)) {
        r->count = 0;
        return;
    }
    const measured *mha = r->of[0].m;
    for (size_t i = 0; i < r->count; i++) {
        rival *one = &r->of[i];
        one->bytes = one->m->c->kv_bytes_live / mha->c->kv_bytes_live;
        one->time = one->m->time / mha->time;
        one->apart = measured_apart(one->m, mha);
    }
}

static size_t types_of(const rivals *r) {
    size_t types = 0;
    for (size_t i = 0; i < r->count; i++)
        types += !i || r->of[i].m->variant != r->of[i - 1].m->variant;
    return types;
}

void rivals_decoding(rivals *r, const report_data *data) {
    rivals trial;
    size_t most = 0, longest = 0;
    *r = (rivals){0};
    for (size_t i = 0; i < data->count; i++) {
        const results_case *c = data->cases[i].c;
        if (strcmp(c->kind, "attention") || strcmp(c->mode, "decode") || !is_base(c) || !is_plain(c))
            continue;
        gather(&trial, data, c, SAME_LAYER);
        size_t types = types_of(&trial);
        if (types > most || (types == most && c->L > longest)) {
            *r = trial;
            most = types;
            longest = c->L;
        }
    }
    if (r->count < 2)
        r->count = 0;
}

/* Whether a setting comes before another: a stream before an utterance, then the Conformer, then more work before
 * less. */
static bool precedes(const results_case *a, const results_case *b) {
    bool stream_a = !strcmp(a->mode, "chunk"), stream_b = !strcmp(b->mode, "chunk");
    if (stream_a != stream_b)
        return stream_a;
    if (strcmp(a->model, b->model))
        return strcmp(a->model, b->model) > 0;
    return a->flops > b->flops;
}

static bool is_first_of_setting(const report_data *data, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (!strcmp(data->cases[i].c->kind, "encoder") && is_base(data->cases[i].c) &&
            case_same(data->cases[i].c, data->cases[at].c, SAME_ENCODER))
            return false;
    return true;
}

static bool is_setting(const report_data *data, size_t at) {
    const results_case *c = data->cases[at].c;
    return !strcmp(c->kind, "encoder") && is_base(c) && is_plain(c) && is_first_of_setting(data, at);
}

/* How many settings come before it. */
static size_t place_of(const report_data *data, size_t at) {
    size_t before = 0;
    for (size_t i = 0; i < data->count; i++)
        if (i != at && is_setting(data, i)) {
            bool first = precedes(data->cases[i].c, data->cases[at].c);
            bool equal = !first && !precedes(data->cases[at].c, data->cases[i].c);
            before += first || (equal && i < at);
        }
    return before;
}

bool rivals_of_encoder(rivals *r, const report_data *data, size_t at) {
    for (size_t i = 0; i < data->count; i++)
        if (is_setting(data, i) && place_of(data, i) == at) {
            gather(r, data, data->cases[i].c, SAME_ENCODER);
            return true;
        }
    *r = (rivals){0};
    return false;
}

static const rival *nearest(const rivals *r, const char *type) {
    const rival *best = NULL;
    for (size_t i = 1; i < r->count; i++) {
        const rival *one = &r->of[i];
        bool counts =
            one->bytes < 1 && (!type || !strcmp(one->m->c->type, type)) && !case_rounds_cache(one->m->c);
        if (counts && (!best || fabs(one->bytes - 0.25) < fabs(best->bytes - 0.25)))
            best = one;
    }
    return best;
}

const rival *rivals_quarter(const rivals *r, const char *type) {
    const rival *own = nearest(r, type);
    return own ? own : nearest(r, NULL);
}

const rival *rivals_fastest(const rivals *r) {
    const rival *best = r->count ? &r->of[0] : NULL;
    for (size_t i = 1; i < r->count; i++)
        best = r->of[i].m->time < best->m->time ? &r->of[i] : best;
    return best;
}

const rival *rivals_fastest_like(const rivals *r, const rival *one) {
    const rival *best = one;
    for (size_t i = 0; i < r->count; i++)
        if (fabs(r->of[i].bytes - one->bytes) < 0.01 * one->bytes && r->of[i].m->time < best->m->time)
            best = &r->of[i];
    return best;
}

const rival *rivals_smallest(const rivals *r) {
    const rival *best = r->count ? &r->of[0] : NULL;
    for (size_t i = 1; i < r->count; i++)
        best = r->of[i].bytes < best->bytes ? &r->of[i] : best;
    return best;
}
