#include "reports/tables/sentences/answer.h"

#include "base/text/append.h"
#include "base/text/utf8.h"
#include "reports/data/case_names.h"
#include "reports/data/counter_values.h"
#include "reports/data/rivals.h"
#include "reports/study/study_answer.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

enum { SENTENCE = 1000 };

static void say(json_t *list, const char *lead, const char *text) {
    json_array_append_new(list, json_pack("{s:s, s:o}", "lead", lead, "text", utf8_json(text)));
}

static void bytes_of(char *text, size_t size, const rival *one) {
    bytes_text(text, size, one->m->c->kv_bytes_live);
}

/* "MLA 256", "linear attention" */
static void name_of(char *text, size_t size, const rival *one) {
    case_short_name(text, size, one->m->c);
    if (islower((unsigned char)*text))
        text_append(text, size, " attention");
}

/* What it loses in recognition, by the study. */
static void append_price(char *text, size_t size, const report_data *data, const rival *one) {
    if (data->study && !case_rounds_cache(one->m->c))
        study_price(text, size, data->study, one->m->c->type, one->bytes);
}

static void say_bytes(json_t *list, const report_data *data, const rivals *r, const rival *focus) {
    const rival *least = rivals_smallest(r);
    char text[SENTENCE] = "", lead[160], name[CASE_NAME], own[32], base[32];
    name_of(name, sizeof name, least);
    bytes_of(own, sizeof own, least);
    bytes_of(base, sizeof base, &r->of[0]);
    snprintf(lead, sizeof lead, "Smallest cache: %s, %.2g%% of MHA's.", name, 100 * least->bytes);
    text_append(text, sizeof text, "For %zu frames a layer keeps %s, %s with MHA", least->m->c->L, own, base);
    if (focus != least) {
        case_short_name(name, sizeof name, focus->m->c);
        bytes_of(own, sizeof own, focus);
        text_append(text, sizeof text, " and %s (%.3g%%) with %s", own, 100 * focus->bytes, name);
    }
    text_append(text, sizeof text, ".");
    append_price(text, sizeof text, data, least);
    say(list, lead, text);
}

/* What the brackets after two times are. */
static const char *interval_word(const measured *a, const measured *b) {
    if (a->interval && b->interval)
        return "95%: ";
    return a->interval || b->interval ? "95%, or least to most of few runs: " : "least to most: ";
}

/* " MLA 256 takes 0.8 ms: 0.42 of MHA's time." */
static void append_time(char *text, size_t size, const rival *one, const measured *mha) {
    const measured *m = one->m;
    char name[CASE_NAME];
    name_of(name, sizeof name, one);
    text_append(text, size, " %s takes %.3g ms", name, m->time / 1e6);
    if (one->apart)
        text_append(text, size, ": %.2g of MHA's time.", one->time);
    else
        text_append(text, size, " (%s%.3g to %.3g; MHA %.3g to %.3g): no difference found.",
                    interval_word(m, mha), m->low / 1e6, m->high / 1e6, mha->low / 1e6, mha->high / 1e6);
}

/* MHA with the smallest of its rounded caches; NULL: none was measured. */
static const rival *rounded_mha(const rivals *r) {
    const rival *least = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const rival *one = &r->of[i];
        if (!strcmp(one->m->c->type, "mha") && case_rounds_cache(one->m->c) &&
            (!least || one->bytes < least->bytes))
            least = one;
    }
    return least;
}

/* " MHA with a q8_0 cache keeps 4.25 MiB and takes 0.435 ms, less than MLA 256." Rounding needs no other model, so that
 * it is what a smaller one competes with. */
static void append_rounded(char *text, size_t size, const rivals *r, const rival *focus) {
    const rival *one = rounded_mha(r);
    char bytes[32], name[CASE_NAME];
    if (!one)
        return;
    bytes_of(bytes, sizeof bytes, one);
    case_short_name(name, sizeof name, focus->m->c);
    text_append(text, size, " MHA with a %s cache keeps %s and takes %.3g ms", one->m->c->kv, bytes,
                one->m->time / 1e6);
    if (measured_apart(one->m, focus->m))
        text_append(text, size, ", %s than %s.", one->m->time < focus->m->time ? "less" : "more", name);
    else
        text_append(text, size, "; no difference from %s found.", name);
}

static void say_frame(json_t *list, const report_data *data, const rivals *r, const rival *focus) {
    const rival *fastest = rivals_fastest(r), *mha = &r->of[0], *alike = rivals_fastest_like(r, focus);
    char text[SENTENCE] = "", lead[160], name[CASE_NAME];
    name_of(name, sizeof name, fastest);
    snprintf(lead, sizeof lead, "Fastest with %zu frames in view: %s", fastest->m->c->L, name);
    if (fastest->apart)
        text_append(lead, sizeof lead, ", %.2g times as fast as MHA", 1 / fastest->time);
    text_append(lead, sizeof lead,
                fastest->apart || fastest == mha ? "." : ", but no difference from MHA found.");
    text_append(text, sizeof text, "The next frame takes a layer %.3g ms of CPU time",
                fastest->m->time / 1e6);
    if (fastest != mha)
        text_append(text, sizeof text, ", with MHA %.3g ms", mha->m->time / 1e6);
    text_append(text, sizeof text, ".");
    if (fastest != rivals_smallest(r))
        append_price(text, sizeof text, data, fastest);
    if (focus != fastest)
        append_time(text, sizeof text, focus, mha->m);
    if (alike != focus && alike != fastest) {
        append_time(text, sizeof text, alike, mha->m);
        append_price(text, sizeof text, data, alike);
    }
    append_rounded(text, sizeof text, r, focus);
    say(list, lead, text);
}

static void append_change(char *text, size_t size, const rival *one) {
    if (one->apart && one->time < 1)
        text_append(text, size, "%.2g of the time", one->time);
    else if (one->apart)
        text_append(text, size, "%.2f times as long", one->time);
    else
        text_append(text, size, "no difference in time found");
}

/* Both times; with their intervals where no difference was found. */
static void append_times(char *text, size_t size, const rival *one, const measured *mha) {
    const measured *m = one->m;
    if (one->apart)
        text_append(text, size, "%.3g ms, with MHA %.3g ms.", m->time / 1e6, mha->time / 1e6);
    else
        text_append(text, size, "%.3g ms (%s%.3g to %.3g), with MHA %.3g ms (%.3g to %.3g).", m->time / 1e6,
                    interval_word(m, mha), m->low / 1e6, m->high / 1e6, mha->time / 1e6, mha->low / 1e6,
                    mha->high / 1e6);
}

/* " MLA saves memory here, not time.", where it does not save time. */
static void append_bargain(char *text, size_t size, const rival *one, const char *type) {
    if (one->bytes < 1 && one->apart && one->time > 1)
        text_append(text, size, " %s saves memory here, not time.", type);
    else if (one->bytes < 1 && !one->apart)
        text_append(text, size, " %s saves memory here; that it saves time was not found.", type);
}

/* The stream of most work; without one the utterance of most work. */
static void say_model(json_t *list, const report_data *data) {
    rivals r;
    char text[SENTENCE] = "", lead[160], name[CASE_NAME], type[CASE_NAME], model[CASE_NAME], own[32],
         base[32];
    if (!rivals_of_encoder(&r, data, 0))
        return;
    const rival *focus = rivals_quarter(&r, "mla");
    if (!focus)
        return;
    const results_case *c = focus->m->c;
    bool stream = !strcmp(c->mode, "chunk");
    model_name(model, sizeof model, c->model);
    case_short_name(name, sizeof name, c);
    bytes_of(own, sizeof own, focus);
    bytes_of(base, sizeof base, &r.of[0]);
    type_name(type, sizeof type, c->type);
    snprintf(lead, sizeof lead, "A %s%s with %s: %.3g%% of the KV cache, ", stream ? "streaming " : "", model,
             type, 100 * focus->bytes);
    append_change(lead, sizeof lead, focus);
    text_append(lead, sizeof lead, ".");
    text_append(text, sizeof text, "With %s its %zu layers keep %s, with MHA %s", name, c->layers, own, base);
    if (c->conv_bytes_live > 0) {
        bytes_text(own, sizeof own, c->conv_bytes_live);
        text_append(text, sizeof text, " (and %s for convolutions)", own);
    }
    text_append(text, sizeof text, "; ");
    if (stream)
        text_append(text, sizeof text, "a chunk of %zu frames (%.2g s) with %.2g s behind it takes ", c->q,
                    c->audio_seconds, c->audio_seconds * (double)c->left);
    else
        text_append(text, sizeof text, "%.3g s of speech in one call take ", c->audio_seconds);
    append_times(text, sizeof text, focus, r.of[0].m);
    append_bargain(text, sizeof text, focus, type);
    say(list, lead, text);
}

static void say_recognition(json_t *list, const report_data *data) {
    char lead[STUDY_ANSWER], text[STUDY_ANSWER];
    if (!data->study) {
        say(list, "In recognition: not measured here.",
            "No word error rate was given; attnbench study measures it, and --study shows it here.");
        return;
    }
    study_answer(data->study, lead, text);
    say(list, lead, text);
}

json_t *answer_list(const report_data *data) {
    json_t *list = json_array();
    rivals r;
    rivals_decoding(&r, data);
    const rival *focus = rivals_quarter(&r, "mla");
    if (focus) {
        say_bytes(list, data, &r, focus);
        say_frame(list, data, &r, focus);
    }
    say_model(list, data);
    say_recognition(list, data);
    return list;
}

/* ---- trust */

static bool has_hardware_counters(const report_data *data) {
    for (size_t i = 0; i < data->count; i++) {
        const json_t *counters = data->cases[i].c->count ? data->cases[i].c->samples[0].counters : NULL;
        const json_t *cycles = json_object_get(counters, "cycles");
        if (cycles && counter_is_shown(cycles))
            return true;
    }
    return false;
}

static void say_checks(char *text, size_t size, const report_data *data) {
    measured_checks all = measured_all_checks(data);
    if (all.failed)
        text_append(text, size, "%zu of %zu cases failed and have no numbers; the others", all.failed,
                    all.passed + all.failed);
    else
        text_append(text, size, "All %zu cases", all.passed);
    text_append(text, size, " agreed with a plain reference before they were timed.");
}

/* How far times can be trusted, by the share that others took: intervals lack what they do to caches and clock. */
static const char *how_far(double lost) {
    if (lost > 0.5)
        return "Times are CPU time; with over half of the time lost they are rough: measure a difference "
               "again on an idle machine before you rely on it.";
    return lost > 0.05 ? "Times are CPU time; others shared the machine, so that small differences may come "
                         "from their work."
                       : "Times are CPU time and hold within their intervals.";
}

json_t *answer_trust(const report_data *data) {
    char checked[200] = "", machine[200] = "", rest[400] = "";
    size_t wide = 0;
    double lost = measured_all_samples(data).lost;
    for (size_t i = 0; i < data->count; i++)
        wide += measured_varies(&data->cases[i]);
    say_checks(checked, sizeof checked, data);
    text_append(machine, sizeof machine, "%s, ",
                *results_text(data->results, "machine.hypervisor", "") ? "Virtual machine" : "Bare machine");
    if (!isnan(lost))
        text_append(machine, sizeof machine, "%.2g%% of the time lost, ", 100 * lost);
    text_append(machine, sizeof machine, "%s.",
                has_hardware_counters(data) ? "hardware counters read" : "no hardware counters");
    if (wide)
        text_append(rest, sizeof rest, "%zu case%s by more than %.0f%%. ", wide,
                    wide == 1 ? " varies" : "s vary", 100 * MEASURED_VARIES);
    text_append(rest, sizeof rest, "%s Cache sizes are exact.", how_far(lost));
    return json_pack("{s:s, s:s, s:s, s:o}", "checked", checked, "machine", machine, "rest", rest, "line",
                     json_sprintf("%s %s %s", checked, machine, rest));
}
