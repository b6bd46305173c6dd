/* Claims on recognition, from what `attnbench study` trained, and on error, from what `attnbench analyze` converted. */
#include "base/text/json.h"

#include "reports/paper/claims/claim.h"

#include <math.h>
#include <string.h>

/* ---- Runs of a study ---- */

/* What runs must be; NULL and 0: anything. */
typedef struct wanted {
    const char *type, *origin;
    double latent_dim, epochs, learning_rate, seed;
} wanted;

static double number_or_zero(const json_t *run, const char *key) {
    double value = json_number(run, key);
    return isnan(value) ? 0 : value;
}

static bool is_wanted(const json_t *run, const wanted *w) {
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"latent_dim", w->latent_dim},
                   {"epochs", w->epochs},
                   {"learning_rate", w->learning_rate},
                   {"seed", w->seed}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value > 0 && number_or_zero(run, numbers[i].key) != numbers[i].value)
            return false;
    return (!w->type || !strcmp(json_text(run, "attention_type"), w->type)) &&
           (!w->origin || !strcmp(json_text(run, "origin"), w->origin));
}

static const json_t *runs_of(const claims_evidence *e) {
    return json_object_get(e->study, "runs");
}

/* The mean over the runs (seeds) that have the number; NaN without any. */
static double mean(const claims_evidence *e, const wanted *w, const char *key) {
    double sum = 0;
    size_t i, count = 0;
    const json_t *run;
    json_array_foreach(runs_of(e), i, run) {
        double value = is_wanted(run, w) ? json_number(run, key) : NAN;
        if (isnan(value))
            continue;
        sum += value;
        count++;
    }
    return count ? sum / (double)count : NAN;
}

static void study_size(claim_verdict *v, const claims_evidence *e) {
    const json_t *run = json_array_get(runs_of(e), 0);
    claim_size(v, "%s, d_model %.0f, %.0f layers; %s", json_text(run, "model_type"),
               number_or_zero(run, "d_model"), number_or_zero(run, "num_layers"),
               json_text(json_object_get(e->study, "corpus"), "words"));
}

/* Adds "KEY with X against Y", where both are there. */
static void compare(claim_verdict *v, const claims_evidence *e, const char *what, const char *key,
                    const wanted *a, const wanted *b, bool less) {
    double with = mean(e, a, key), without = mean(e, b, key);
    if (isnan(with) || isnan(without))
        return;
    claim_add(v, claim_holds(less ? with < without : with <= without), "%s: %.4g against %.4g", what, with,
              without);
    study_size(v, e);
}

void claim_easier_to_train(claim_verdict *v, const claims_evidence *e) {
    compare(v, e, "CTC loss", "loss", &(wanted){.type = "mla_simple", .origin = "scratch"},
            &(wanted){.type = "mla", .origin = "scratch"}, true);
}

void claim_faster_training(claim_verdict *v, const claims_evidence *e) {
    compare(v, e, "seconds an epoch", "seconds_per_epoch",
            &(wanted){.type = "mla_simple", .origin = "scratch"},
            &(wanted){.type = "mla", .origin = "scratch"}, true);
}

/* ---- Each conversion of a study, by its type and latent_dim ---- */

static const char *const latent_types[] = {"mla_simple", "mla"};

/* The next larger latent_dim that a run of this kind has; 0: none. */
static double next_latent(const claims_evidence *e, const wanted *w, double after) {
    const wanted any = {.type = w->type, .origin = w->origin};
    double next = 0;
    size_t i;
    const json_t *run;
    json_array_foreach(runs_of(e), i, run) {
        double dim = number_or_zero(run, "latent_dim");
        if (is_wanted(run, &any) && dim > after && (next == 0 || dim < next))
            next = dim;
    }
    return next;
}

static double width_of(const claims_evidence *e) {
    return json_number(json_array_get(runs_of(e), 0), "d_model");
}

void claim_good_start(claim_verdict *v, const claims_evidence *e) {
    for (size_t t = 0; t < 2; t++) {
        wanted tuned = {.type = latent_types[t], .origin = "fine_tuned"};
        while ((tuned.latent_dim = next_latent(e, &tuned, tuned.latent_dim)) > 0) {
            wanted scratch = {.type = tuned.type, .origin = "scratch", .latent_dim = tuned.latent_dim};
            char what[64];
            snprintf(what, sizeof what, "CTC loss of %s, latent_dim %.0f", tuned.type, tuned.latent_dim);
            compare(v, e, what, "loss", &tuned, &scratch, true);
        }
    }
}

/* WER in points against the control, of latent_dim from `least` to `most` times d_model. */
static void judge_wer(claim_verdict *v, const claims_evidence *e, double least, double most, double limit) {
    double control = mean(e, &(wanted){.origin = "control"}, "wer_percent");
    for (size_t t = 0; t < 2; t++) {
        wanted w = {.type = latent_types[t], .origin = "fine_tuned"};
        while ((w.latent_dim = next_latent(e, &w, w.latent_dim)) > 0) {
            double share = w.latent_dim / width_of(e), wer = mean(e, &w, "wer_percent");
            if (!(share >= least && share <= most) || isnan(wer - control))
                continue;
            claim_add(v, claim_holds(wer - control < limit), "%s, latent_dim %.0f: %.3g%% WER, %+.3g points",
                      w.type, w.latent_dim, wer, wer - control);
            study_size(v, e);
        }
    }
}

void claim_wer_within_one(claim_verdict *v, const claims_evidence *e) {
    judge_wer(v, e, 0.5, 1, 1);
}

void claim_wer_within_five(claim_verdict *v, const claims_evidence *e) {
    judge_wer(v, e, 1, 1, 5);
}

void claim_librispeech(claim_verdict *v, const claims_evidence *e) {
    (void)e;
    claim_add(v, CLAIM_NOT_TESTABLE, "needs 100 hours of LibriSpeech and the document's recipe");
}

/* ---- Advice ---- */

void claim_higher_latent(claim_verdict *v, const claims_evidence *e) {
    for (size_t t = 0; t < 2; t++) {
        wanted small = {.type = latent_types[t], .origin = "converted"};
        while ((small.latent_dim = next_latent(e, &small, small.latent_dim)) > 0) {
            wanted large = small;
            char what[80];
            large.latent_dim *= 2;
            snprintf(what, sizeof what, "WER of %s at latent_dim %.0f against %.0f", small.type,
                     large.latent_dim, small.latent_dim);
            compare(v, e, what, "wer_percent", &large, &small, false);
        }
    }
}

/* The same conversion, tuned with another value of `key`: `wins` the smaller or the larger one. */
static void judge_tuning(claim_verdict *v, const claims_evidence *e, const char *key, bool larger_wins) {
    size_t i, j;
    const json_t *a, *b;
    json_array_foreach(runs_of(e), i, a) {
        json_array_foreach(runs_of(e), j, b) {
            wanted same = {.type = json_text(a, "attention_type"),
                           .origin = "fine_tuned",
                           .latent_dim = number_or_zero(a, "latent_dim"),
                           .seed = number_or_zero(a, "seed")};
            double from = json_number(a, key), to = json_number(b, key);
            double before = json_number(a, "wer_percent"), after = json_number(b, "wer_percent");
            bool step = larger_wins ? to > from : to < from;
            if (!step || !is_wanted(a, &same) || !is_wanted(b, &same) || isnan(before + after))
                continue;
            claim_add(v, claim_holds(after < before),
                      "%s, latent_dim %.0f: %.3g%% WER with %s %g, %.3g%% with %g", same.type,
                      same.latent_dim, after, key, to, before, from);
            study_size(v, e);
        }
    }
}

void claim_more_epochs(claim_verdict *v, const claims_evidence *e) {
    judge_tuning(v, e, "epochs", true);
}

void claim_lower_rate(claim_verdict *v, const claims_evidence *e) {
    judge_tuning(v, e, "learning_rate", false);
}

/* ---- Errors ---- */

/* Rows of the published kind of conversion and of the best one, at d_model and half of it. */
void claim_svd_error(claim_verdict *v, const claims_evidence *e) {
    size_t i;
    const json_t *row;
    json_array_foreach(e->conversion, i, row) {
        double share = json_number(row, "latent_dim") / json_number(row, "d_model");
        double error = 100 * json_number(row, "output_error");
        const char *method = json_text(row, "method");
        bool known = !strcmp(method, "average") || !strcmp(method, "joint") || !strcmp(method, "activation");
        if (!known || isnan(error) || (share != 1 && share != 0.5))
            continue;
        claim_add(v, claim_holds(error >= 5 && error <= 15), "%s, latent_dim %.0f: %.3g%%", method,
                  json_number(row, "latent_dim"), error);
        claim_size(v, "%s; %s", json_text(row, "subject"), json_text(row, "inputs"));
    }
}

void claim_tuned_error(claim_verdict *v, const claims_evidence *e) {
    size_t i;
    const json_t *run;
    json_array_foreach(runs_of(e), i, run) {
        double error = json_number(run, "output_error_percent"), epochs = json_number(run, "epochs");
        if (strcmp(json_text(run, "origin"), "fine_tuned") || isnan(error) || epochs < 2 || epochs > 3)
            continue;
        claim_add(v, claim_holds(error < 5), "%s, latent_dim %.0f, %.0f epochs: %.3g%%",
                  json_text(run, "attention_type"), number_or_zero(run, "latent_dim"), epochs, error);
        study_size(v, e);
    }
}
