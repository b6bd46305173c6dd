#include "reports/tables/answer.h"

#include "base/text/append.h"
#include "base/text/utf8.h"
#include "reports/data/case_names.h"
#include "reports/data/counter_values.h"
#include "reports/data/rivals.h"
#include "reports/study/study_answer.h"

#include <math.h>
#include <string.h>

enum { SENTENCE = 600 };

static void say(json_t *list, const char *lead, const char *text) {
    json_array_append_new(list, json_pack("{s:s, s:o}", "lead", lead, "text", utf8_json(text)));
}

/* Its cache in bytes and as a part of MHA's. */
static void bytes_of(char *text, size_t size, const rival *one) {
    bytes_text(text, size, one->m->c->kv_bytes_live);
}

static void say_bytes(json_t *list, const rivals *r, const rival *focus) {
    char text[SENTENCE] = "", lead[96], own[32], base[32], name[CASE_NAME], least[CASE_NAME], few[32];
    const rival *smallest = rivals_smallest(r);
    bytes_of(own, sizeof own, focus);
    bytes_of(base, sizeof base, &r->of[0]);
    case_long_name(name, sizeof name, focus->m->c);
    snprintf(lead, sizeof lead, "%.3g%% of the bytes.", 100 * focus->bytes);
    text_append(text, sizeof text, "%s keeps %s a layer for %zu frames, MHA %s.", name, own, focus->m->c->L,
                base);
    if (smallest->bytes < focus->bytes) {
        case_long_name(least, sizeof least, smallest->m->c);
        bytes_of(few, sizeof few, smallest);
        text_append(text, sizeof text, " The smallest: %s, %s (%.2g%%).", least, few, 100 * smallest->bytes);
    }
    say(list, lead, text);
}

/* "0.42 of MHA's time". */
static void time_text(char *text, size_t size, const rival *one) {
    if (one->apart)
        snprintf(text, size, "%.2g of MHA's", one->time);
    else
        snprintf(text, size, "no difference from MHA found");
}

static void say_frame(json_t *list, const rivals *r, const rival *focus) {
    char text[SENTENCE] = "", lead[96], name[CASE_NAME], quick[CASE_NAME], part[64];
    const rival *fastest = rivals_fastest(r);
    snprintf(lead, sizeof lead, "%.2g of the time of a frame.", focus->time);
    if (!focus->apart)
        snprintf(lead, sizeof lead, "No difference in the time of a frame found.");
    case_short_name(name, sizeof name, focus->m->c);
    text_append(text, sizeof text,
                "With %zu frames in view a layer decodes the next in %.3g ms with %s, %.3g ms with MHA.",
                focus->m->c->L, focus->m->time / 1e6, name, r->of[0].m->time / 1e6);
    if (fastest != focus && fastest != &r->of[0]) {
        case_long_name(quick, sizeof quick, fastest->m->c);
        time_text(part, sizeof part, fastest);
        text_append(text, sizeof text, " The fastest: %s, %.3g ms (%s).", quick, fastest->m->time / 1e6,
                    part);
    }
    say(list, lead, text);
}

static void append_change(char *text, size_t size, const rival *one) {
    char part[64];
    if (one->apart && one->time < 1)
        snprintf(part, sizeof part, "%.2g of the time", one->time);
    else if (one->apart)
        snprintf(part, sizeof part, "%.2f times as long", one->time);
    else
        snprintf(part, sizeof part, "no difference in time found");
    text_append(text, size, "%s", part);
}

/* With their intervals where these do not tell the two from each other. */
static void append_times(char *text, size_t size, const rival *one, const measured *mha) {
    const measured *m = one->m;
    if (one->apart)
        text_append(text, size, "%.3g ms instead of %.3g.", m->time / 1e6, mha->time / 1e6);
    else
        text_append(text, size, "%.3g ms (%.3g to %.3g), with MHA %.3g ms (%.3g to %.3g).", m->time / 1e6,
                    m->low / 1e6, m->high / 1e6, mha->time / 1e6, mha->low / 1e6, mha->high / 1e6);
}

/* The stream of most work; without one the utterance of most work. */
static void say_model(json_t *list, const report_data *data) {
    rivals r;
    char text[SENTENCE] = "", lead[96], name[CASE_NAME], model[CASE_NAME], own[32], base[32];
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
    snprintf(lead, sizeof lead, "In a whole %s%s: ", stream ? "streaming " : "", model);
    append_change(lead, sizeof lead, focus);
    text_append(lead, sizeof lead, ".");
    text_append(text, sizeof text, "%s: %zu layers keep %s instead of %s; ", name, c->layers, own, base);
    if (stream)
        text_append(text, sizeof text, "a chunk of %zu frames (%.2g s) behind %.2g s takes ", c->q,
                    c->audio_seconds, c->audio_seconds * (double)c->left);
    else
        text_append(text, sizeof text, "%.3g s of speech in one call take ", c->audio_seconds);
    append_times(text, sizeof text, focus, r.of[0].m);
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
        say_bytes(list, &r, focus);
        say_frame(list, &r, focus);
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

json_t *answer_trust(const report_data *data) {
    char text[400] = "";
    double lost = measured_lost(data);
    size_t checked = 0, failed = 0;
    for (size_t i = 0; i < data->results->count; i++)
        if (data->results->cases[i].error && !data->results->cases[i].unsupported)
            failed++;
    for (size_t i = 0; i < data->count; i++)
        checked += isnan(data->cases[i].c->max_error) ? 0 : 1;
    text_append(text, sizeof text, "%s, ",
                *results_text(data->results, "machine.hypervisor", "") ? "Virtual machine" : "Bare machine");
    text_append(text, sizeof text, "%.2g%% of the time lost to others; ", 100 * lost);
    text_append(text, sizeof text, "%s; ",
                has_hardware_counters(data) ? "hardware counters read" : "no hardware counters");
    text_append(text, sizeof text, "%zu cases checked before they were timed, %zu failed.", checked, failed);
    return utf8_json(text);
}
