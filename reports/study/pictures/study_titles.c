#include "reports/study/pictures/study_titles.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/data/case_names.h"
#include "reports/study/study_label.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rows of a group that are compared with an MHA trained as long. */
typedef struct compared {
    const study_data *data;
    const char *model, *low; /* the key of the lower end of the change's interval */
    study_group group;
} compared;

static bool is_compared(const compared *c, const json_t *row) {
    study_group own;
    return json_text_is(row, "model", c->model) && study_group_of(&own, row) && own == c->group &&
           !json_text_is(row, "attention_type", "mha") && !isnan(json_number(row, c->low));
}

static bool is_worse(const compared *c, const json_t *row) {
    return json_number(row, c->low) > 0;
}

/* The smallest cache of the type, in percent of MHA's, above which it is nowhere worse; infinity: there is none. */
static double good_down_to(const compared *c, const char *type) {
    double worse = 0, good = INFINITY;
    size_t i;
    json_t *row;
    json_array_foreach(c->data->models, i, row) {
        double cache = json_number(row, "cache_percent");
        if (is_compared(c, row) && json_text_is(row, "attention_type", type) && is_worse(c, row) &&
            cache > worse)
            worse = cache;
    }
    json_array_foreach(c->data->models, i, row) {
        double cache = json_number(row, "cache_percent");
        if (is_compared(c, row) && json_text_is(row, "attention_type", type) && cache > worse && cache < good)
            good = cache;
    }
    return good;
}

static void count_worse(const compared *c, size_t *worse, size_t *all) {
    size_t i;
    json_t *row;
    *worse = *all = 0;
    json_array_foreach(c->data->models, i, row) {
        if (!is_compared(c, row))
            continue;
        ++*all;
        *worse += is_worse(c, row);
    }
}

/* MLA before others that are as good. */
static const char *best_type(const compared *c, double *cache) {
    const char *best = NULL;
    size_t i;
    json_t *row;
    *cache = INFINITY;
    json_array_foreach(c->data->models, i, row) {
        const char *type = json_text(row, "attention_type");
        double own = is_compared(c, row) ? good_down_to(c, type) : INFINITY;
        if (own < *cache || (own == *cache && own < INFINITY && !strcmp(type, "mla"))) {
            *cache = own;
            best = type;
        }
    }
    return best;
}

void study_title_cache(char *text, size_t size, const study_data *d, const char *model, const char *y,
                       study_group group) {
    bool errors = !strcmp(y, "wer_percent");
    compared c = {d, model, errors ? "wer_change_low" : "loss_change_low", group};
    double cache;
    const char *type = best_type(&c, &cache), *what = errors ? "WER" : "loss";
    char name[CASE_NAME];
    size_t worse, all;
    count_worse(&c, &worse, &all);
    *text = '\0';
    if (type) {
        type_name(name, sizeof name, type);
        snprintf(text, size, "%s %s: no difference from MHA in %s found down to %.3g%% of its cache", name,
                 study_group_names[group], what, cache);
    } else if (all)
        snprintf(text, size, "%zu of %zu smaller caches, %s, have a higher %s than MHA", worse, all,
                 study_group_names[group], what);
}

void study_title_latent(char *text, size_t size, const study_lines *l, const char *y) {
    double least = INFINITY;
    const char *unit = !strcmp(y, "wer_percent") ? "%" : "", *comma = "";
    for (size_t i = 0; i < l->count; i++)
        if (!strcmp(l->at[i].type, "mla") && l->at[i].x[0] < least)
            least = l->at[i].x[0];
    *text = '\0';
    if (!isfinite(least))
        return;
    snprintf(text, size, "MLA with a latent of %.0f: %s ", least, *unit ? "WER" : "loss");
    for (size_t i = 0; i < l->count; i++) {
        const study_line *line = &l->at[i];
        if (strcmp(line->type, "mla") || line->x[0] != least || !strcmp(line->origin, "progressive"))
            continue;
        text_append(text, size, "%s%.3g%s %s", comma, line->y[0], unit, study_group_names[line->group]);
        comma = ", ";
    }
}

void study_title_latency(char *text, size_t size, const study_lines *l) {
    const json_t *row = NULL;
    double least = INFINITY, mha = NAN;
    char name[CASE_NAME];
    *text = '\0';
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->at[i].count; k++) {
            if (!strcmp(l->at[i].type, "mha"))
                mha = l->at[i].x[k];
            if (l->at[i].x[k] >= least)
                continue;
            least = l->at[i].x[k];
            row = l->at[i].row[k];
        }
    if (!row || isnan(mha))
        return;
    study_short_name(name, sizeof name, row);
    *name = (char)toupper((unsigned char)*name);
    if (json_text_is(row, "attention_type", "mha"))
        snprintf(text, size, "No type takes less time for a chunk than MHA: %.3g ms", mha);
    else
        snprintf(text, size, "%s takes the least time for a chunk: %.3g ms, MHA %.3g ms", name, least, mha);
}

void study_title_curves(char *text, size_t size, const study_lines *l) {
    const study_line *best = NULL;
    double last = 0;
    *text = '\0';
    for (size_t i = 0; i < l->count; i++)
        last = l->at[i].x[l->at[i].count - 1] > last ? l->at[i].x[l->at[i].count - 1] : last;
    for (size_t i = 0; i < l->count; i++) {
        const study_line *line = &l->at[i];
        size_t end = line->count - 1;
        if (line->x[end] == last && (!best || line->y[end] < best->y[best->count - 1]))
            best = line;
    }
    if (best)
        snprintf(text, size, "Least loss after %.0f epoch%s: %s, %.3g", last, last == 1 ? "" : "s",
                 best->title, best->y[best->count - 1]);
}
