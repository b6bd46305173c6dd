#include "reports/study/pictures/study_titles.h"

#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/data/case_names.h"
#include "reports/study/study_label.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Points of the lines that are compared with an MHA trained as long. */
typedef struct compared {
    const char *low; /* the key of the lower end of the change's interval */
    size_t count;
    const json_t *row[STUDY_LINES_MAX * STUDY_POINTS_MAX];
} compared;

static void find_compared(compared *c, const study_lines *l, const char *low) {
    c->low = low;
    c->count = 0;
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->at[i].count && strcmp(l->at[i].type, "mha") != 0; k++)
            if (!isnan(json_number(l->at[i].row[k], low)))
                c->row[c->count++] = l->at[i].row[k];
}

static bool is_worse(const compared *c, size_t i) {
    return json_number(c->row[i], c->low) > 0;
}

static bool is_of(const compared *c, size_t i, const char *type) {
    return json_text_is(c->row[i], "attention_type", type);
}

/* The smallest cache of the type, in percent of MHA's, above which it is nowhere worse; infinity: there is none. */
static double good_down_to(const compared *c, const char *type) {
    double worse = 0, good = INFINITY;
    for (size_t i = 0; i < c->count; i++) {
        double cache = json_number(c->row[i], "cache_percent");
        if (is_of(c, i, type) && is_worse(c, i) && cache > worse)
            worse = cache;
    }
    for (size_t i = 0; i < c->count; i++) {
        double cache = json_number(c->row[i], "cache_percent");
        if (is_of(c, i, type) && cache > worse && cache < good)
            good = cache;
    }
    return good;
}

static size_t count_worse(const compared *c) {
    size_t worse = 0;
    for (size_t i = 0; i < c->count; i++)
        worse += is_worse(c, i);
    return worse;
}

/* MLA before others that are as good. */
static const char *best_type(const compared *c, double *cache) {
    const char *best = NULL;
    *cache = INFINITY;
    for (size_t i = 0; i < c->count; i++) {
        const char *type = json_text(c->row[i], "attention_type");
        double own = good_down_to(c, type);
        if (own < *cache || (own == *cache && own < INFINITY && !strcmp(type, "mla"))) {
            *cache = own;
            best = type;
        }
    }
    return best;
}

void study_title_cache(char *text, size_t size, const study_lines *l, const char *y, study_group group) {
    bool errors = !strcmp(y, "wer_percent");
    compared c;
    find_compared(&c, l, errors ? "wer_change_low" : "loss_change_low");
    double cache;
    const char *type = best_type(&c, &cache), *what = errors ? "WER" : "loss";
    char name[CASE_NAME];
    *text = '\0';
    if (type) {
        type_name(name, sizeof name, type);
        snprintf(text, size, "%s %s: no difference from MHA in %s found down to %.3g%% of its cache", name,
                 study_group_names[group], what, cache);
    } else if (c.count)
        snprintf(text, size, "%zu of %zu smaller caches, %s, have a higher %s than MHA", count_worse(&c),
                 c.count, study_group_names[group], what);
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
