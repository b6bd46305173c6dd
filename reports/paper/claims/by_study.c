/* Claims on recognition, from what `attnbench study` trained, model by model. */
#include "base/text/json.h"

#include "reports/paper/claims/claim.h"

#include <math.h>
#include <string.h>

/* Which runs of a model; NULL and 0: any. */
typedef struct wanted {
    const char *type, *origin;
    double latent_dim, epochs, learning_rate;
} wanted;

static double number_or_zero(const json_t *run, const char *key) {
    double value = json_number(run, key);
    return isnan(value) ? 0 : value;
}

static bool is_wanted(const json_t *run, const wanted *w) {
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"latent_dim", w->latent_dim}, {"epochs", w->epochs}, {"learning_rate", w->learning_rate}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value > 0 && number_or_zero(run, numbers[i].key) != numbers[i].value)
            return false;
    return (!w->type || !strcmp(json_text(run, "attention_type"), w->type)) &&
           (!w->origin || !strcmp(json_text(run, "origin"), w->origin));
}

static const json_t *runs_of(const json_t *model) {
    return json_object_get(model, "runs");
}

/* Over the runs (seeds) that have the number; NaN without any. */
static double sum(const json_t *model, const wanted *w, const char *key, size_t *count) {
    double all = 0;
    size_t i;
    const json_t *run;
    *count = 0;
    json_array_foreach(runs_of(model), i, run) {
        double value = is_wanted(run, w) ? json_number(run, key) : NAN;
        if (isnan(value))
            continue;
        all += value;
        ++*count;
    }
    return *count ? all : NAN;
}

/* A number over seeds; one seed has no spread. */
typedef struct seeds {
    size_t count;
    double mean, low, high; /* NaN without any */
} seeds;

static seeds seeds_of(const json_t *model, const wanted *w, const char *key) {
    seeds s = {.low = NAN, .high = NAN};
    s.mean = sum(model, w, key, &s.count) / (double)s.count;
    size_t i;
    const json_t *run;
    json_array_foreach(runs_of(model), i, run) {
        double value = is_wanted(run, w) ? json_number(run, key) : NAN;
        s.low = fmin(s.low, value);
        s.high = fmax(s.high, value);
    }
    return s;
}

/* Whether a is below b: undecided where a seed of one lies among those of the other, and with one seed. */
static claim_state lower(const seeds *a, const seeds *b) {
    bool apart = a->high < b->low || b->high < a->low;
    return apart && a->count > 1 && b->count > 1 ? claim_holds(a->high < b->low) : CLAIM_UNDECIDED;
}

typedef void model_judge(claim_verdict *v, const json_t *model);

static void each_model(claim_verdict *v, const claims_evidence *e, model_judge *judge) {
    size_t i;
    const json_t *model;
    json_array_foreach(e->study, i, model) {
        judge(v, model);
        if (v->state != CLAIM_NOT_MEASURED && !*v->size)
            claim_size(v, "%s", json_text(model, "size"));
    }
}

/* ---- Word error rates, with what is chance ---- */

typedef struct rate {
    double percent, variance; /* of a share of that many words, in percent squared */
} rate;

static rate rate_from(double errors, double words) {
    double share = errors / words;
    return (rate){100 * share, 1e4 * fmax(share * (1 - share), 0) / words};
}

static rate rate_of(const json_t *model, const wanted *w) {
    size_t count;
    return rate_from(sum(model, w, "errors", &count), sum(model, w, "words", &count));
}

/* Whether a - b is below the limit: undecided within the 95% interval of the difference of two shares. */
static claim_state below(rate a, rate b, double limit) {
    double distance = limit - (a.percent - b.percent), margin = 1.96 * sqrt(a.variance + b.variance);
    return fabs(distance) <= margin ? CLAIM_UNDECIDED : claim_holds(distance > 0);
}

/* ---- Each conversion of a model, by its type and latent_dim ---- */

static const char *const latent_types[] = {"mla_simple", "mla"};

/* The next larger value of the key that a wanted run has; 0: none. */
static double next_value(const json_t *model, const wanted *w, const char *key, double after) {
    double next = 0;
    size_t i;
    const json_t *run;
    json_array_foreach(runs_of(model), i, run) {
        double value = number_or_zero(run, key);
        if (is_wanted(run, w) && value > after && (next == 0 || value < next))
            next = value;
    }
    return next;
}

static double next_latent(const json_t *model, const wanted *w, double after) {
    return next_value(model, &(wanted){.type = w->type, .origin = w->origin}, "latent_dim", after);
}

static double width_of(const json_t *model) {
    return json_number(json_array_get(runs_of(model), 0), "d_model");
}

/* Whether `a` has less of it than `b`, at each latent_dim that both have. */
static void compare(claim_verdict *v, const json_t *model, const char *what, const char *key, wanted a,
                    wanted b) {
    while ((a.latent_dim = next_latent(model, &a, a.latent_dim)) > 0) {
        b.latent_dim = a.latent_dim;
        seeds with = seeds_of(model, &a, key), without = seeds_of(model, &b, key);
        if (with.count && without.count)
            claim_add(v, lower(&with, &without),
                      "%s, %s, latent_dim %.0f: %.4g against %.4g (%zu and %zu seeds, %s)", what, a.type,
                      a.latent_dim, with.mean, without.mean, with.count, without.count,
                      json_text(model, "model"));
    }
}

/* Tuned for the fewest epochs, at the rate of the control. */
static void judge_start(claim_verdict *v, const json_t *model) {
    for (size_t t = 0; t < 2; t++) {
        wanted tuned = {.type = latent_types[t], .origin = "fine_tuned"};
        tuned.epochs = next_value(model, &tuned, "epochs", 0);
        tuned.learning_rate = next_value(model, &(wanted){.origin = "control"}, "learning_rate", 0);
        compare(v, model, "CTC loss", "loss", tuned, (wanted){.type = latent_types[t], .origin = "scratch"});
    }
}

/* WER in points against the control of as many epochs and the same learning rate. */
static void judge_against_control(claim_verdict *v, const json_t *model, wanted w, double limit) {
    while ((w.epochs = next_value(model, &(wanted){w.type, w.origin, .latent_dim = w.latent_dim}, "epochs",
                                  w.epochs)) > 0) {
        const wanted as_long = {.origin = "control", .epochs = w.epochs};
        rate control = rate_of(model, &as_long);
        w.learning_rate = next_value(model, &as_long, "learning_rate", 0);
        rate wer = rate_of(model, &w);
        if (isnan(wer.percent - control.percent))
            continue;
        claim_add(v, below(wer, control, limit),
                  "%s, latent_dim %.0f, tuned for %.0f epochs: %.3g%% WER, %+.3g points (%s)", w.type,
                  w.latent_dim, w.epochs, wer.percent, wer.percent - control.percent,
                  json_text(model, "model"));
    }
}

/* Of latent_dim from `least` times d_model to d_model. */
static void judge_wer(claim_verdict *v, const json_t *model, double least, double limit) {
    for (size_t t = 0; t < 2; t++) {
        wanted w = {.type = latent_types[t], .origin = "fine_tuned"};
        while ((w.latent_dim = next_latent(model, &w, w.latent_dim)) > 0) {
            double share = w.latent_dim / width_of(model);
            if (share >= least && share <= 1)
                judge_against_control(v, model, w, limit);
        }
    }
}

static void judge_within_one(claim_verdict *v, const json_t *model) {
    judge_wer(v, model, 0.5, 1);
}

static void judge_within_five(claim_verdict *v, const json_t *model) {
    judge_wer(v, model, 1, 5);
}

static void judge_latent(claim_verdict *v, const json_t *model) {
    for (size_t t = 0; t < 2; t++) {
        wanted small = {.type = latent_types[t], .origin = "converted"};
        while ((small.latent_dim = next_latent(model, &small, small.latent_dim)) > 0) {
            wanted large = small;
            large.latent_dim *= 2;
            rate before = rate_of(model, &small), after = rate_of(model, &large);
            if (isnan(before.percent) || isnan(after.percent))
                continue;
            claim_add(v, below(after, before, 0), "%s: %.3g%% WER at latent_dim %.0f, %.3g%% at %.0f (%s)",
                      small.type, after.percent, large.latent_dim, before.percent, small.latent_dim,
                      json_text(model, "model"));
        }
    }
}

/* What a tuning is set to, by key. */
static double *setting(wanted *w, const char *key) {
    return !strcmp(key, "epochs") ? &w->epochs : &w->learning_rate;
}

/* Neighbouring values of `key`, all else the same. */
static void judge_values(claim_verdict *v, const json_t *model, wanted w, const char *key, bool larger) {
    double at = next_value(model, &w, key, 0), next;
    for (; (next = next_value(model, &w, key, at)) > 0; at = next) {
        wanted from = w, to = w;
        *setting(&from, key) = larger ? at : next;
        *setting(&to, key) = larger ? next : at;
        rate before = rate_of(model, &from), after = rate_of(model, &to);
        if (!isnan(before.percent + after.percent))
            claim_add(v, below(after, before, 0),
                      "%s, latent_dim %.0f: %.3g%% WER with %s %g, %.3g%% with %g", w.type, w.latent_dim,
                      after.percent, key, *setting(&to, key), before.percent, *setting(&from, key));
    }
}

/* The same conversion, tuned with a larger or a smaller value of `key` and the same one of `other`. */
static void judge_tuning(claim_verdict *v, const json_t *model, const char *key, const char *other,
                         bool larger) {
    for (size_t t = 0; t < 2; t++) {
        wanted w = {.type = latent_types[t], .origin = "fine_tuned"};
        while ((w.latent_dim = next_latent(model, &w, w.latent_dim)) > 0) {
            wanted any = w;
            while ((*setting(&w, other) = next_value(model, &any, other, *setting(&w, other))) > 0)
                judge_values(v, model, w, key, larger);
        }
    }
}

static void judge_epochs(claim_verdict *v, const json_t *model) {
    judge_tuning(v, model, "epochs", "learning_rate", true);
}

static void judge_rate(claim_verdict *v, const json_t *model) {
    judge_tuning(v, model, "learning_rate", "epochs", false);
}

/* ---- MLA-Simple against MLA, from scratch ---- */

static void judge_loss(claim_verdict *v, const json_t *model) {
    compare(v, model, "CTC loss", "loss", (wanted){.type = "mla_simple", .origin = "scratch"},
            (wanted){.type = "mla", .origin = "scratch"});
}

static void judge_training_time(claim_verdict *v, const json_t *model) {
    compare(v, model, "seconds an epoch", "seconds_per_epoch",
            (wanted){.type = "mla_simple", .origin = "scratch"},
            (wanted){.type = "mla", .origin = "scratch"});
}

void claim_easier_to_train(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_loss);
}
void claim_faster_training(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_training_time);
}
void claim_good_start(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_start);
}
void claim_wer_within_one(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_within_one);
}
void claim_wer_within_five(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_within_five);
}
void claim_higher_latent(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_latent);
}
void claim_more_epochs(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_epochs);
}
void claim_lower_rate(claim_verdict *v, const claims_evidence *e) {
    each_model(v, e, judge_rate);
}

void claim_librispeech(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    claim_add(v, CLAIM_NOT_TESTABLE, "needs 100 hours of LibriSpeech and the paper's recipe");
}
