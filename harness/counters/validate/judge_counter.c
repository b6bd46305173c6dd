#include "harness/counters/validate/judge_counter.h"

#include "base/statistics/stats.h"

#include "attn/size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RUNS_MAX = 32 };

const char *const verdict_names[] = {"trusted", "scaled", "unchecked", "rejected", "unavailable", NULL};

verdict_status verdict_named(const char *name) {
    size_t status = VERDICT_TRUSTED;
    while (status < VERDICT_UNAVAILABLE && strcmp(name, verdict_names[status]))
        status++;
    return (verdict_status)status;
}

/* Runs of one kernel and size, as fractions: of what was expected (of the nearer end, where that is a range),
 * or of the scale where that was nothing. */
typedef struct section {
    const known_reading *first;
    size_t runs;
    bool nothing; /* was expected */
    double lowest, median, highest;
} section;

static size_t section_end(const known_reading *r, size_t count, size_t at) {
    size_t end = at + 1;
    while (end < count && r[end].kernel == r[at].kernel && r[end].n == r[at].n)
        end++;
    return end;
}

static double fraction_of(const known_reading *r) {
    if (r->expected == 0)
        return r->measured / r->scale;
    if (r->measured >= r->least && r->measured <= r->expected)
        return 1;
    return r->measured / (r->measured < r->least ? r->least : r->expected);
}

static void summarize(section *s, const known_reading *r, size_t runs) {
    double fraction[RUNS_MAX];
    *s = (section){.first = r, .runs = attn_smaller(runs, RUNS_MAX), .nothing = r->expected == 0};
    for (size_t i = 0; i < s->runs; i++)
        fraction[i] = fraction_of(&r[i]);
    stats_sort(fraction, s->runs);
    size_t dropped = s->runs >= 5;
    s->lowest = fraction[dropped];
    s->highest = fraction[s->runs - 1 - dropped];
    s->median = stats_quantile(fraction, s->runs, 0.5);
}

static double error_of(const section *s) {
    double truth = s->nothing ? 0 : 1;
    return fmax(fabs(s->lowest - truth), fabs(s->highest - truth));
}

static void reject(verdict *v, const section *s) {
    v->status = VERDICT_REJECTED;
    v->kernel = s->first->kernel;
    v->expected = s->first->expected;
    v->measured = s->median * (s->nothing ? s->first->scale : s->first->expected);
}

/* What no factor mends. */
static bool reject_impossible(verdict *v, const section *s) {
    for (size_t i = 0; i < s->runs; i++) {
        const known_reading *r = &s->first[i];
        if (r->known && isfinite(r->measured) && r->measured >= 0 && (r->measured > 0 || s->nothing))
            continue;
        *v = (verdict){.status = VERDICT_REJECTED,
                       .kernel = r->kernel,
                       .expected = r->expected,
                       .measured = r->measured};
        if (!isfinite(r->measured))
            snprintf(v->reason, sizeof v->reason, "%s: what was read is not a number", r->kernel);
        else if (r->measured < 0)
            snprintf(v->reason, sizeof v->reason, "%s: read %.15g, which cannot be", r->kernel, r->measured);
        else if (r->measured > 0)
            snprintf(v->reason, sizeof v->reason, "%s: could not be read in every run", r->kernel);
        else
            snprintf(v->reason, sizeof v->reason, "%s: read 0 where %.15g were expected", r->kernel,
                     r->expected);
        return true;
    }
    if (s->nothing && s->highest > VERDICT_ERROR) {
        reject(v, s);
        snprintf(v->reason, sizeof v->reason, "%s: read %.15g where none were expected", v->kernel,
                 v->measured);
        return true;
    }
    return false;
}

/* All sections: the one furthest off, and the range of factors. */
typedef struct overview {
    section worst, low, high;
    bool any;     /* where something was expected */
    bool several; /* kernels where something was expected */
} overview;

static void take(overview *all, const section *s) {
    if (!all->worst.first || error_of(s) > error_of(&all->worst))
        all->worst = *s;
    if (s->nothing)
        return;
    all->several |= all->any && all->low.first->kernel != s->first->kernel;
    if (!all->any || s->lowest < all->low.lowest)
        all->low = *s;
    if (!all->any || s->highest > all->high.highest)
        all->high = *s;
    all->any = true;
}

static void conclude(verdict *v, const overview *all) {
    double low = all->low.lowest, high = all->high.highest, factor = (low + high) / 2;
    reject(v, &all->worst);
    if (error_of(&all->worst) <= VERDICT_ERROR) {
        v->status = VERDICT_TRUSTED;
    } else if (all->several && high - factor <= VERDICT_ERROR * factor) {
        v->status = VERDICT_SCALED;
        v->factor = factor;
        snprintf(v->reason, sizeof v->reason, "reads %.4g times the truth in every kernel", factor);
    } else if (all->low.first->kernel == all->high.first->kernel) {
        snprintf(v->reason, sizeof v->reason, "%s: read %.3g to %.3g times what was expected",
                 all->low.first->kernel, low, high);
    } else {
        snprintf(v->reason, sizeof v->reason, "read %.3g times what was expected of %s, and %.3g times of %s",
                 low, all->low.first->kernel, high, all->high.first->kernel);
    }
}

void verdict_judge(verdict *v, const known_reading *readings, size_t count) {
    overview all = {0};
    *v = (verdict){.status = VERDICT_REJECTED};
    for (size_t i = 0, end; i < count; i = end) {
        section s;
        end = section_end(readings, count, i);
        summarize(&s, readings + i, end - i);
        if (reject_impossible(v, &s))
            return;
        take(&all, &s);
    }
    if (all.any) {
        conclude(v, &all);
    } else {
        v->status = VERDICT_UNCHECKED;
        snprintf(v->reason, sizeof v->reason, "no kernel that could be run here has a known answer for it");
    }
}
