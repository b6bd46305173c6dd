#include "harness/gate/decide/decide.h"

#include "base/statistics/signed_rank.h"

#include "attn/alloc.h"

#include <math.h>

#define NOISE_TAIL 0.025 /* on either side */

size_t gate_next_look(size_t pairs) {
    if (pairs < GATE_FIRST_LOOK)
        return GATE_FIRST_LOOK;
    size_t next = pairs + pairs / 4 * 2;
    return next > GATE_MOST_PAIRS ? 0 : next;
}

/* The part of an error chance that may be spent until this share of the budget is over. Later looks are left more than
 * early ones, which can do without: a case that they are to settle has little noise, or a large difference. */
static double spent_until(double share) {
    return share * share;
}

/* How far the centre of the base's differences from itself may lie from 0. */
static int measure_noise(double *noise, const gate_series *s, attn_error *error) {
    walsh w;
    if (walsh_make(&w, s->noise, s->noises, error))
        return -1;
    *noise = fmax(-walsh_low(&w, NOISE_TAIL), walsh_high(&w, NOISE_TAIL));
    walsh_free(&w);
    return 0;
}

static int examine(gate_finding *f, walsh *w, const gate_series *s, const gate_rule *rule, double tail,
                   attn_error *error) {
    if (walsh_make(w, s->effect, s->effects, error) || signed_rank_p(&f->p, s->effect, s->effects, error) ||
        measure_noise(&f->noise, s, error))
        return -1;
    f->estimate = walsh_centre(w);
    f->low = walsh_low(w, tail);
    f->high = walsh_high(w, tail);
    f->floor = fmax(f->noise, rule->min_effect);
    return 0;
}

/* Of how many cases it is not known yet. */
static size_t count_left(const gate_finding *findings, size_t cases, gate_verdict which) {
    size_t left = cases;
    for (size_t i = 0; i < cases; i++)
        left -= findings[i].settled && findings[i].verdict == which;
    return left;
}

/* Whether there are pairs enough for a first step: n differences have a chance of 2^-n at least. */
static bool can_find(const gate_finding *findings, const gate_series *series, size_t cases,
                     gate_verdict which, double chance) {
    double tail = chance / (double)count_left(findings, cases, which);
    for (size_t i = 0; i < cases; i++)
        if (!findings[i].settled && pow(0.5, (double)series[i].effects) <= tail)
            return true;
    return false;
}

/* Holm's steps: each case that is found leaves a larger part of the chance to those that are not. Cases found
 * at earlier looks count as found, cases settled otherwise stay in the count. */
static void find(gate_finding *findings, const walsh *w, size_t cases, gate_verdict which, double chance) {
    size_t left = count_left(findings, cases, which);
    for (size_t i = 0; i < cases; i++) {
        gate_finding *f = &findings[i];
        if (f->settled)
            continue;
        bool slower = which == GATE_SLOWER;
        double bound = (slower ? walsh_low : walsh_high)(&w[i], chance / (double)left);
        if (slower ? bound > f->floor : bound < -f->floor) {
            *(slower ? &f->low : &f->high) = bound;
            f->verdict = which;
            f->settled = true;
            left--;
            i = (size_t)-1; /* the others again, with what this one leaves them */
        }
    }
}

/* SAME is judged by what the user calls an effect: on a noisy host the floor is higher, and nothing smaller
 * than the floor can be ruled out by it. */
static void settle(gate_finding *f, const walsh *w, const gate_rule *rule, double chance, bool last) {
    if (f->settled)
        return;
    bool not_slower = walsh_high(w, chance) < rule->min_effect;
    bool not_faster = walsh_low(w, chance) > -rule->min_effect;
    f->settled = last || (not_slower && not_faster);
    if (!f->settled || !not_slower)
        return;
    f->verdict = GATE_SAME;
    f->low = walsh_low(w, chance);
    f->high = walsh_high(w, chance);
}

int gate_look(gate_finding *findings, const gate_series *series, size_t cases, const gate_rule *rule,
              gate_looks *looks, bool last, attn_error *error) {
    walsh *w = attn_alloc(cases, sizeof *w, "means of pairs", error);
    double until = spent_until(last ? 1 : looks->share);
    double alpha = rule->alpha * (until - looks->alpha_used), beta = rule->beta * (until - looks->beta_used);
    if (can_find(findings, series, cases, GATE_SLOWER, alpha) ||
        can_find(findings, series, cases, GATE_FASTER, alpha))
        looks->alpha_used = until;
    looks->beta_used = until;
    int result = w ? 0 : -1;
    for (size_t i = 0; i < cases && !result; i++)
        if (!findings[i].settled)
            result = examine(&findings[i], &w[i], &series[i], rule, alpha / (double)cases, error);
    if (!result) {
        find(findings, w, cases, GATE_SLOWER, alpha);
        find(findings, w, cases, GATE_FASTER, alpha);
    }
    for (size_t i = 0; i < cases && !result; i++)
        settle(&findings[i], &w[i], rule, beta, last);
    for (size_t i = 0; w && i < cases; i++)
        walsh_free(&w[i]);
    attn_free(w);
    return result;
}
