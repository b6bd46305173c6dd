/* Why a case is undecided: what was seen of it, and what would do. */
#include "base/progress.h"
#include "base/statistics/stats.h"
#include "base/text/append.h"
#include "harness/gate/gate.h"

#include "attn/alloc.h"

#include <math.h>
#include <stdio.h>

/* What the differences between base and candidate, one a block or a pair by turns, look like. */
typedef struct scatter {
    size_t count;
    double low, high, middle, sd; /* of the effects */
    double own;                   /* the largest difference of the base from itself */
} scatter;

static int look_at(scatter *s, const gate_case *c, gate_way way) {
    double *numbers = attn_alloc(2 * c->count, sizeof *numbers, "effects", NULL);
    *s = (scatter){0};
    if (!numbers)
        return -1;
    gate_series series = gate_series_of(c, way, numbers);
    s->count = series.effects;
    for (size_t i = 0; i < series.noises; i++)
        if (fabs(series.noise[i]) > s->own)
            s->own = fabs(series.noise[i]);
    double sum = 0;
    stats_sort(numbers, s->count);
    s->low = numbers[0];
    s->high = numbers[s->count - 1];
    s->middle = stats_quantile(numbers, s->count, 0.5);
    for (size_t i = 0; i < s->count; i++)
        sum += (numbers[i] - s->middle) * (numbers[i] - s->middle);
    s->sd = s->count > 1 ? sqrt(sum / (double)(s->count - 1)) : NAN;
    attn_free(numbers);
    return 0;
}

/* Differences that would do if all goes on as before. Until there is an interval it is taken for one of four standard
 * deviations of the mean, which is about what looks and cases share out; then it narrows with the root of their
 * number. */
static double count_needed(const scatter *s, const gate *g, const gate_finding *f) {
    double half = fmin(f->estimate - f->low, f->high - f->estimate), count = (double)s->count;
    double gap = fabs(fabs(s->middle) - g->settings.rule.min_effect);
    double least = ceil(log2((double)g->count * 2 / g->settings.rule.alpha));
    if (!isfinite(half))
        half = 4 * s->sd / sqrt(count);
    return fmax(fmax(least, count + 1), count * (half / gap) * (half / gap));
}

/* Of all cases, when each takes `factor` times what it took so far. */
static void put_budget(char *why, size_t size, const gate *g, double factor) {
    char budget[32];
    progress_time(budget, sizeof budget, fmax(g->seconds, 1) * factor);
    text_list(why, size, "; ", "a budget of about %s would do", budget);
}

static void put_pairs(char *why, size_t size, const gate *g, const gate_case *c, const scatter *s) {
    double needed = count_needed(s, g, &c->finding) * (double)c->count / (double)s->count;
    bool forecast = isfinite(c->finding.low) || isfinite(c->finding.high);
    if (needed > GATE_MOST_PAIRS && !forecast) {
        text_list(why, size, "; ", "%zu pairs, which scatter too much to say how many would do", c->count);
    } else if (isnan(needed)) {
        text_list(why, size, "; ", "%zu pair%s, too few for an interval", c->count, c->count == 1 ? "" : "s");
    } else if (needed > GATE_MOST_PAIRS) {
        text_list(why, size, "; ", "%zu pairs; too near to the smallest effect to be distinguished from it",
                  c->count);
    } else {
        text_list(why, size, "; ", "%zu of about %.0f pairs that are needed", c->count, needed);
        put_budget(why, size, g, needed / (double)c->count);
    }
}

static void put_bounds(char *why, size_t size, const gate_finding *f, const scatter *s) {
    if (s->count > 1 && (!isfinite(f->low) || !isfinite(f->high)))
        text_list(why, size, "; ", "differences lie between %+.2f%% and %+.2f%%", gate_percent(s->low),
                  gate_percent(s->high));
    if (!isfinite(f->noise) && s->own > 0)
        text_list(why, size, "; ", "the base differs from itself by up to %.2f%%", gate_percent(s->own));
}

static void put_unmeasured(char *why, size_t size, const gate *g) {
    if (!*why)
        text_list(why, size, "; ", "%s before %s", g->interrupted ? "interrupted" : "the budget was spent",
                  g->stored ? "a process had ended" : "a pair was complete");
    if (g->opened > 0)
        text_list(why, size, "; ", "the checks before took %.0f s", g->opened);
}

static void put_single(char *why, size_t size, const gate_case *c) {
    if (isnan(c->finding.noise))
        text_list(why, size, "; ", "%zu process%s, too few to see how much they differ", c->count,
                  c->count == 1 ? "" : "es");
    else
        text_list(why, size, "; ",
                  "processes differ by up to %.2f%%; a base that is a program shows smaller changes",
                  gate_percent(c->finding.noise));
}

static void put_counts(char *why, size_t size, const gate_finding *f) {
    if (f->noise > 0)
        text_list(why, size, "; ", "a program differs from itself by up to %.2f%%", gate_percent(f->noise));
}

static void put_times(char *why, size_t size, const gate *g, const gate_case *c) {
    const gate_finding *f = &c->finding;
    scatter s;
    if (look_at(&s, c, g->settings.way))
        return;
    put_pairs(why, size, g, c, &s);
    put_bounds(why, size, f, &s);
    if (isfinite(f->noise) && f->noise > g->settings.rule.min_effect)
        text_list(why, size, "; ", "noise makes a floor of %.2f%%", gate_percent(f->noise));
    if (c->ns > 0)
        text_list(why, size, "; ",
                  g->commands ? "it did not run for %.0f%% of the time" /* it may have slept */
                              : "it waited for the CPU %.0f%% of the time",
                  100 * (1 - c->cpu_ns / c->ns));
}

void gate_reason(char *why, size_t size, const gate *g, const gate_case *c) {
    if (c->finding.verdict != GATE_UNDECIDED)
        return;
    if (!c->count)
        put_unmeasured(why, size, g);
    else if (g->stored)
        put_single(why, size, c);
    else if (g->settings.metric == GATE_INSTRUCTIONS)
        put_counts(why, size, &c->finding);
    else
        put_times(why, size, g, c);
}
