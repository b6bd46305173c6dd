#include "reports/study/pictures/study_lines.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/data/case_names.h"
#include "reports/study/study_label.h"

#include <math.h>
#include <string.h>

const char *const study_group_names[STUDY_GROUPS] = {"from scratch", "converted", "tuned"};

bool study_group_of(study_group *group, const json_t *row) {
    static const struct {
        const char *origin;
        study_group group;
    } known[] = {{"scratch", STUDY_SCRATCH},
                 {"converted", STUDY_CONVERTED},
                 {"fine_tuned", STUDY_TUNED},
                 {"progressive", STUDY_TUNED},
                 {"control", STUDY_TUNED}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (json_text_is(row, "origin", known[i].origin)) {
            *group = known[i].group;
            return true;
        }
    return false;
}

/* "MLA"; "MLA in steps" next to what was tuned at once; of all groups "MLA converted". */
static void name_line(study_line *line, bool all) {
    type_name(line->title, sizeof line->title, line->type);
    if (!strcmp(line->origin, "progressive"))
        text_append(line->title, sizeof line->title, " in steps");
    else if (all)
        text_append(line->title, sizeof line->title, " %s", study_group_names[line->group]);
}

static study_line *line_of(study_lines *l, const json_t *row, bool all) {
    const char *type = json_text(row, "attention_type"), *origin = json_text(row, "origin");
    study_group group;
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->at[i].type, type) && !strcmp(l->at[i].origin, origin))
            return &l->at[i];
    if (l->count == STUDY_LINES_MAX || !study_group_of(&group, row))
        return NULL;
    study_line *made = &l->at[l->count++];
    *made = (study_line){.type = type, .origin = origin, .group = group};
    name_line(made, all);
    return made;
}

/* In the order of x. */
static void add_point(study_line *line, const json_t *row, double x, double y, const char *key) {
    size_t at = line->count;
    bool errors = !strcmp(key, "wer_percent");
    if (line->count == STUDY_POINTS_MAX)
        return;
    for (; at && line->x[at - 1] > x; at--) {
        line->x[at] = line->x[at - 1];
        line->y[at] = line->y[at - 1];
        line->low[at] = line->low[at - 1];
        line->high[at] = line->high[at - 1];
        line->row[at] = line->row[at - 1];
    }
    line->row[at] = row;
    line->x[at] = x;
    line->y[at] = y;
    line->low[at] = errors ? json_number(row, "wer_low_percent") : NAN;
    line->high[at] = errors ? json_number(row, "wer_high_percent") : NAN;
    line->count++;
}

/* Lines of other types, where there is one of MLA: the two kinds of it nearly agree. */
static void keep_mla(study_lines *l) {
    size_t kept = 0;
    bool any = false;
    for (size_t i = 0; i < l->count; i++)
        any |= !strcmp(l->at[i].type, "mla");
    for (size_t i = 0; any && i < l->count; i++)
        if (!strcmp(l->at[i].type, "mla"))
            l->at[kept++] = l->at[i];
    l->count = any ? kept : l->count;
}

/* What was converted comes from MHA, and is compared with it. */
static bool is_shown(const json_t *row, study_group group) {
    study_group own;
    if (!study_group_of(&own, row))
        return false;
    return group == STUDY_GROUPS || own == group ||
           (group == STUDY_CONVERTED && own == STUDY_SCRATCH && json_text_is(row, "attention_type", "mha"));
}

static bool same_number(const json_t *a, const json_t *b, const char *key) {
    double x = json_number(a, key), y = json_number(b, key);
    return x == y || (isnan(x) && isnan(y));
}

/* Tuned at a rate of its own, or longer than another of its size: a line compares sizes, tables have the rest. */
static bool is_tuned_otherwise(const study_data *d, const json_t *row) {
    size_t i;
    const json_t *other;
    if (json_number(row, "own_learning_rate") > 0)
        return true;
    if (!json_text_is(row, "origin", "fine_tuned"))
        return false;
    json_array_foreach(d->models, i, other) {
        if (json_text_is(other, "model", json_text(row, "model")) &&
            json_text_is(other, "origin", "fine_tuned") &&
            json_text_is(other, "attention_type", json_text(row, "attention_type")) &&
            same_number(other, row, "latent_dim") && same_number(other, row, "num_kv_heads") &&
            json_number(other, "epochs_in_all") < json_number(row, "epochs_in_all"))
            return true;
    }
    return false;
}

void study_lines_of(study_lines *l, const study_data *d, const char *model, const char *x, const char *y,
                    study_group group) {
    size_t i;
    json_t *row;
    *l = (study_lines){.level = {NAN, NAN}};
    json_array_foreach(d->models, i, row) {
        double at = json_number(row, x), value = json_number(row, y);
        if (!json_text_is(row, "model", model) || isnan(value) || is_tuned_otherwise(d, row))
            continue;
        if (!study_row_attends(row))
            l->level[json_text_is(row, "origin", "without_attention")] = value;
        study_line *line = isnan(at) || !is_shown(row, group) ? NULL : line_of(l, row, group == STUDY_GROUPS);
        if (line)
            add_point(line, row, at, value, y);
    }
    if (group == STUDY_GROUPS)
        keep_mla(l);
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
    *line = (study_line){.type = json_text(row, "attention_type"), .origin = json_text(row, "origin")};
    study_short_name(line->title, sizeof line->title, row);
    if (!strcmp(line->origin, "progressive"))
        text_append(line->title, sizeof line->title, " in steps");
    if (json_number(row, "own_learning_rate") > 0)
        text_append(line->title, sizeof line->title, " at %g", json_number(row, "own_learning_rate"));
    if (!study_row_attends(row))
        snprintf(line->title, sizeof line->title, "no attention");
    for (; line->count < STUDY_POINTS_MAX && !isnan(loss = mean_loss(runs, kind, line->count)); line->count++)
        line->y[line->count] = loss;
    if (tuned)
        first = json_number(row, "epochs_in_all") - (double)line->count;
    for (size_t i = 0; i < line->count; i++) {
        line->x[i] = first + 1 + (double)i;
        line->low[i] = line->high[i] = NAN;
        line->row[i] = row;
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
