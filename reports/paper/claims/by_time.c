/* Claims on time, from the results of a sweep: pairs of cases that differ in what the claim compares alone. */
#include "reports/paper/claims/claim.h"

#include "base/text/append.h"

#include <math.h>
#include <string.h>

typedef struct side {
    const char *type;  /* attention_type */
    const char *model; /* of encoders; NULL: that of the other side */
    size_t full;       /* 1: latent_dim is d_model */
} side;

typedef struct pair {
    const measured *a, *b;
} pair;

/* Fields that a fair comparison holds; what it leaves free (implementation, path) is the fastest of each. */
static bool is_plain(const results_case *c) {
    return !strcmp(c->kv, "f32") && !strcmp(c->cache, "warm") && c->t == 1 &&
           (strcmp(c->kind, "attention") || (c->B == 1 && !strcmp(c->part, "layer")));
}

static bool fits(const measured *m, const side *s, const char *kind, const char *mode) {
    const results_case *c = m->c;
    return !strcmp(c->kind, kind) && !strcmp(c->mode, mode) && !strcmp(c->type, s->type) &&
           (!s->model || !strcmp(c->model, s->model)) && (!s->full || c->dc == c->d) && is_plain(c);
}

/* The same work but for what the sides say. */
static bool match(const results_case *a, const results_case *b, bool same_model) {
    return a->T == b->T && a->L == b->L && a->q == b->q && a->left == b->left && a->layers == b->layers &&
           a->h == b->h && a->d == b->d && a->k == b->k && !strcmp(a->pos, b->pos) &&
           !strcmp(a->input, b->input) && (!same_model || !strcmp(a->model, b->model)) &&
           (!a->dc || !b->dc || a->dc == b->dc);
}

/* Larger layers first, then longer ones, then larger latents; of one shape the faster. */
static bool is_better(const pair *now, const pair *best) {
    const results_case *a = now->a->c, *b = best->a ? best->a->c : NULL;
    if (!b || a->d != b->d)
        return !b || a->d > b->d;
    if (a->L != b->L)
        return a->L > b->L;
    if (a->dc != b->dc)
        return a->dc > b->dc;
    return now->a->time + now->b->time < best->a->time + best->b->time;
}

static bool find_pair(pair *best, const report_data *r, const side *a, const side *b, const char *kind,
                      const char *mode) {
    *best = (pair){0};
    for (size_t i = 0; r && i < r->count; i++)
        for (size_t j = 0; fits(&r->cases[i], a, kind, mode) && j < r->count; j++) {
            pair now = {&r->cases[i], &r->cases[j]};
            if (fits(now.b, b, kind, mode) && match(now.a->c, now.b->c, !a->model) && is_better(&now, best))
                *best = now;
        }
    return best->a;
}

static void describe(char *text, size_t size, const measured *m) {
    snprintf(text, size, "%s%s%s", m->c->model, *m->c->model ? " " : "", m->c->type);
    if (m->c->dc)
        text_append(text, size, " (latent_dim %zu)", m->c->dc);
}

/* low and high: what the ratio of times may be; the state follows from the medians and whether the bars are apart. */
static void judge_pair(claim_verdict *v, const pair *p, double low, double high) {
    double ratio = p->a->time / p->b->time;
    bool holds = ratio >= low && ratio <= high;
    bool apart = measured_apart(p->a, p->b);
    char a[64], b[64];
    describe(a, sizeof a, p->a);
    describe(b, sizeof b, p->b);
    bool order = low == 0 || isinf(high) || low == 1 || high == 1; /* what is not apart has no order */
    claim_add(v, order && !apart ? CLAIM_UNDECIDED : claim_holds(holds), "%s %s, L %zu: %s %.3g times %s",
              p->a->c->kind, p->a->c->mode, p->a->c->L, a, ratio, b);
    claim_size(v, "d_model %zu, %zu heads; %zu runs in %zu processes a case", p->a->c->d, p->a->c->h,
               p->a->runs, p->a->processes);
}

static void judge_all(claim_verdict *v, const claims_evidence *e, const side *a, const side *b, double low,
                      double high) {
    static const char *const where[][2] = {
        {"attention", "prefill"}, {"attention", "chunk"}, {"attention", "decode"},
        {"encoder", "prefill"},   {"encoder", "chunk"},
    };
    pair p;
    for (size_t i = 0; i < sizeof where / sizeof *where; i++)
        if ((!a->model || !strcmp(where[i][0], "encoder")) &&
            find_pair(&p, e->results, a, b, where[i][0], where[i][1]))
            judge_pair(v, &p, low, high);
}

void claim_slightly_slower(claim_verdict *v, const claims_evidence *e) {
    judge_all(v, e, &(side){.type = "mla"}, &(side){.type = "mha"}, 1, 1.25);
}

void claim_simple_faster(claim_verdict *v, const claims_evidence *e) {
    judge_all(v, e, &(side){.type = "mla_simple"}, &(side){.type = "mla"}, 0, 1);
}

static void judge_encoders(claim_verdict *v, const claims_evidence *e, const side *a, const side *b,
                           double published) {
    pair p;
    if (find_pair(&p, e->results, a, b, "encoder", "prefill"))
        judge_pair(v, &p, published / 1.1, published * 1.1);
}

void claim_time_between(claim_verdict *v, const claims_evidence *e) {
    judge_encoders(v, e, &(side){"mha", "branchformer", 0}, &(side){"mha", "conformer", 0}, 6.72 / 0.0016);
}

void claim_time_conformer_mla(claim_verdict *v, const claims_evidence *e) {
    judge_encoders(v, e, &(side){"mla", "conformer", 0}, &(side){"mha", "conformer", 0}, 0.0017 / 0.0016);
}

void claim_time_branchformer_mla(claim_verdict *v, const claims_evidence *e) {
    judge_encoders(v, e, &(side){"mla", "branchformer", 0}, &(side){"mha", "branchformer", 0}, 6.8 / 6.72);
}

/* The machine and the length of the utterance are not named, so what this machine needs is no verdict. */
static void judge_time(claim_verdict *v, const claims_evidence *e, const char *model) {
    const side s = {.type = "mha", .model = model};
    pair p;
    v->state = CLAIM_NOT_TESTABLE;
    if (!find_pair(&p, e->results, &s, &s, "encoder", "prefill"))
        return;
    claim_add(v, CLAIM_NOT_TESTABLE, "here %.4g s for %zu input frames (%.3g s of audio), one thread",
              p.a->time * 1e-9, p.a->c->T, p.a->c->audio_seconds);
    claim_size(v, "%s, %zu layers, d_model %zu, %zu heads", model, p.a->c->layers, p.a->c->d, p.a->c->h);
}

void claim_time_conformer(claim_verdict *v, const claims_evidence *e) {
    judge_time(v, e, "conformer");
}

void claim_time_branchformer(claim_verdict *v, const claims_evidence *e) {
    judge_time(v, e, "branchformer");
}

/* Where GQA keeps no more than MLA. */
static bool no_larger(const pair *p) {
    return p->a->c->kv_bytes_live <= p->b->c->kv_bytes_live;
}

void claim_gqa_better(claim_verdict *v, const claims_evidence *e) {
    static const char *const modes[] = {"prefill", "chunk", "decode"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        pair p;
        if (!find_pair(&p, e->results, &(side){.type = "gqa"}, &(side){.type = "mla"}, "attention",
                       modes[i]) ||
            !no_larger(&p))
            continue;
        judge_pair(v, &p, 0, 1);
    }
}
