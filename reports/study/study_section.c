#include "reports/study/study_section.h"

#include "base/text/json.h"
#include "reports/page/template/table_data.h"
#include "reports/study/study_findings.h"

static void add_fact(json_t *list, const char *name, const char *value) {
    if (*value)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", name, "value", value));
}

static json_t *facts(const study_data *d) {
    json_t *list = json_array();
    add_fact(list, "speech", d->synthetic ? "synthetic" : json_text(d->root, "corpus"));
    add_fact(list, "on", json_text(d->root, "cpu"));
    add_fact(list, "commit", json_text(d->root, "commit"));
    add_fact(list, "date", json_text(d->root, "date"));
    return list;
}

/* "1122 utterances of 6 speakers to learn from (0.83 hours); models of 51.8 to 60.1 thousand parameters." */
static json_t *size(const study_data *d) {
    const json_t *train = json_array_get(json_object_get(d->root, "splits"), 0);
    double least = 0, most = 0, n;
    size_t i;
    json_t *row;
    json_array_foreach(d->models, i, row) {
        if (!((n = json_number(row, "parameters")) > 0))
            continue;
        least = least > 0 && least < n ? least : n;
        most = most > n ? most : n;
    }
    return json_sprintf(
        "%.0f utterances of %.0f speakers to learn from (%.2f hours)%s; models of %.1f to %.1f thousand "
        "parameters.",
        json_number(train, "utterances"), json_number(train, "speakers"),
        json_number(train, "seconds") / 3600,
        json_is_true(json_object_get(d->root, "folds")) ? ", one speaker left out in turn" : "", least / 1e3,
        most / 1e3);
}

static json_t *figures(const study_data *d) {
    json_t *list = json_array();
    for (size_t i = 0; i < d->figure_count; i++) {
        const study_figure *f = &d->figures[i];
        const figure_caption caption = {.name = f->name,
                                        .title = *f->title ? f->title : f->shows,
                                        .shows = *f->title ? f->shows : NULL,
                                        .svg = f->svg,
                                        .about = f->about,
                                        .held_word = "",
                                        .held = "",
                                        .basis = ""};
        json_array_append_new(list, figure_data(&caption));
    }
    return list;
}

json_t *study_page_data(const study_data *d, const drawing *pictures) {
    if (!d->root)
        return json_null();
    return json_pack("{s:s, s:s, s:s, s:O?, s:o, s:o, s:o, s:o, s:o}", "plan", json_text(d->root, "study"),
                     "summary", json_text(d->root, "summary"), "heard", d->heard, "synthetic",
                     json_object_get(d->root, "synthetic"), "size", size(d), "facts", facts(d), "findings",
                     study_findings(d), "figures", figures(d), "missing", missing_pictures_data(pictures));
}
