#include "reports/study/study_lines.h"

#include "attn/alloc.h"
#include "base/text/json.h"
#include "reports/study/study_label.h"

#include <math.h>
#include <string.h>

static study_line *line_of(study_lines *l, const json_t *row) {
    const char *type = json_text(row, "attention_type"), *origin = json_text(row, "origin");
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->at[i].type, type) && !strcmp(l->at[i].origin, origin))
            return &l->at[i];
    if (l->count == STUDY_LINES_MAX)
        return NULL;
    study_line *made = &l->at[l->count++];
    *made = (study_line){.type = type, .origin = origin};
    snprintf(made->title, sizeof made->title, "%.30s, %.30s", type, origin);
    return made;
}

/* In the order of x. */
static void add_point(study_line *line, const json_t *row, double x, double y, const char *key) {
    size_t at = line->count;
    bool errors = !strcmp(key, "wer_percent");
    if (line->count == sizeof line->x / sizeof *line->x)
        return;
    for (; at && line->x[at - 1] > x; at--) {
        line->x[at] = line->x[at - 1];
        line->y[at] = line->y[at - 1];
        line->low[at] = line->low[at - 1];
        line->high[at] = line->high[at - 1];
    }
    line->x[at] = x;
    line->y[at] = y;
    line->low[at] = errors ? json_number(row, "wer_low_percent") : NAN;
    line->high[at] = errors ? json_number(row, "wer_high_percent") : NAN;
    line->count++;
}

void study_lines_of(study_lines *l, const study_data *d, const char *model, const char *x, const char *y) {
    size_t i;
    json_t *row;
    *l = (study_lines){.level = {NAN, NAN}};
    json_array_foreach(d->models, i, row) {
        double at = json_number(row, x), value = json_number(row, y);
        if (!json_text_is(row, "model", model) || isnan(value))
            continue;
        if (!study_row_attends(row))
            l->level[json_text_is(row, "origin", "without_attention")] = value;
        study_line *line = isnan(at) || !study_row_attends(row) ? NULL : line_of(l, row);
        if (line)
            add_point(line, row, at, value, y);
    }
}

/* ---- Learning curves ---- */

static double loss_at(const json_t *run, size_t epoch) {
    return json_number(json_array_get(json_object_get(run, "log"), epoch), "dev_loss");
}

static double mean_loss(const json_t *runs, const char *kind, size_t epoch) {
    double sum = 0, count = 0;
    size_t i;
    json_t *run;
    json_array_foreach(runs, i, run) {
        if (!json_text_is(run, "kind", kind) || json_is_true(json_object_get(run, "failed")))
            continue;
        sum += loss_at(run, epoch);
        count++;
    }
    return sum / count; /* NaN once an epoch is missing */
}

static void add_curve(study_lines *l, const study_data *d, const json_t *row, bool tuned) {
    const json_t *runs = json_object_get(d->root, "runs");
    const char *kind = json_text(row, "kind");
    double loss, first = 0;
    if (l->count == STUDY_LINES_MAX || isnan(mean_loss(runs, kind, 0)))
        return;
    study_line *line = &l->at[l->count++];
    *line = (study_line){
        .type = json_text(row, "attention_type"), .origin = json_text(row, "origin"), .kind = kind};
    char *label = study_label(row, NULL), *epochs = label ? strrchr(label, ',') : NULL;
    snprintf(line->title, sizeof line->title, "%.*s", epochs ? (int)(epochs - label) : 0, label ? label : "");
    attn_free(label);
    for (;
         line->count < sizeof line->x / sizeof *line->x && !isnan(loss = mean_loss(runs, kind, line->count));
         line->count++)
        line->y[line->count] = loss;
    if (tuned)
        first = json_number(row, "epochs_in_all") - (double)line->count;
    for (size_t i = 0; i < line->count; i++) {
        line->x[i] = first + 1 + (double)i;
        line->low[i] = line->high[i] = NAN;
    }
}

void study_curves_of(study_lines *l, const study_data *d, const char *model, bool tuned) {
    size_t i;
    json_t *row;
    *l = (study_lines){.level = {NAN, NAN}};
    json_array_foreach(d->models, i, row) {
        bool is_first =
            json_text_is(row, "origin", "scratch") || json_text_is(row, "origin", "without_attention");
        if (json_text_is(row, "model", model) && is_first != tuned)
            add_curve(l, d, row, tuned);
    }
}
