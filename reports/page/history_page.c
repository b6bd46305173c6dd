#include "reports/page/history_page.h"

#include "base/text/json.h"
#include "base/text/table_write.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/plots/history_plots.h"

#include <ctype.h>
#include <regex.h>
#include <string.h>

static const table_column columns[] = {{"case", "case", NULL},
                                       {"commit", "first commit", NULL},
                                       {"date", "date", NULL},
                                       {"before", "before, ns", "%.4g"},
                                       {"after", "after, ns", "%.4g"},
                                       {"change_percent", "change", "%+.2f%%"},
                                       {"p", "p", "%.2g"},
                                       {NULL, NULL, NULL}};

static void add_change(history_shown *shown, const json_t *lines, const history_series *series,
                       const history_change *c) {
    const json_t *line = json_array_get(lines, series->line[c->at]);
    table_add(&shown->changes,
              json_pack("{ss ss ss sf sf sf sf}", "case", series->name, "commit", json_text(line, "commit"),
                        "date", json_text(line, "date"), "before", c->before, "after", c->after,
                        "change_percent", 100 * (c->after / c->before - 1), "p", c->p));
}

static int show_series(history_shown *shown, const history_request *request, const json_t *lines,
                       const history_series *series, attn_error *error) {
    history_change *changes = attn_alloc(series->count, sizeof *changes, "change points", error);
    if (!changes)
        return -1;
    int count = history_changes(changes, series, lines, request->max_p, request->min_change, error);
    int result = count < 0 ? -1 : 0;
    for (int i = 0; i < count; i++)
        add_change(shown, lines, series, &changes[i]);
    shown->cases++;
    shown->changed += count > 0;
    if (!result && request->out) {
        result = history_plot_write(request->out, shown->cases, series, changes, (size_t)count, lines, error);
        json_array_append_new(shown->pictures, json_pack("{s:s, s:o}", "case", series->name, "file",
                                                         json_sprintf("case_%03zu.svg", shown->cases)));
    }
    attn_free(changes);
    return result;
}

static int show_all(history_shown *shown, const history_request *request, const json_t *lines,
                    const regex_t *filter, attn_error *error) {
    size_t count;
    history_series *series = history_all_series(&count, lines, error);
    int result = series ? 0 : -1;
    for (size_t i = 0; i < count && !result; i++)
        if (!filter || !regexec(filter, series[i].name, 0, NULL, 0))
            result = show_series(shown, request, lines, &series[i], error);
    history_series_free(series, count);
    return result;
}

/* The words under a picture: names come from the file, and Markdown would take HTML and brackets in them. */
static void put_plain(const char *text, FILE *to) {
    for (; *text; text++)
        putc(iscntrl((unsigned char)*text) || strchr("<>[]`\\", *text) ? '?' : *text, to);
}

static int write_page(const history_shown *shown, const char *folder, attn_error *error) {
    attn_output page = {0};
    size_t i;
    json_t *picture;
    int result = -1;
    char *path = attn_format(error, "%s/history.md", folder);
    if (path && !attn_output_open(&page, path, error) &&
        !table_write(&shown->changes, TABLE_MD, page.stream, error)) {
        json_array_foreach(shown->pictures, i, picture) {
            fputs("\n![", page.stream);
            put_plain(json_string_value(json_object_get(picture, "case")), page.stream);
            fprintf(page.stream, "](%s)\n", json_string_value(json_object_get(picture, "file")));
        }
        result = attn_output_commit(&page, error);
    }
    attn_output_discard(&page);
    attn_free(path);
    return result;
}

static size_t machine_changes(const json_t *lines) {
    size_t count = 0;
    for (size_t i = 1; i < json_array_size(lines); i++)
        count += strcmp(json_text(json_array_get(lines, i), "fingerprint"),
                        json_text(json_array_get(lines, i - 1), "fingerprint")) != 0;
    return count;
}

int history_show(history_shown *shown, const history_request *request, attn_error *error) {
    regex_t filter;
    *shown = (history_shown){0};
    if (request->filter && regcomp(&filter, request->filter, REG_EXTENDED | REG_NOSUB))
        return attn_fail(error, "--filter %s: not a regular expression", request->filter);
    table_init(&shown->changes, "Change points", columns);
    shown->pictures = json_array();
    json_t *lines = history_read(request->file, error);
    int result = lines ? 0 : -1;
    if (!result && request->out)
        result = attn_make_folder(request->out, error);
    if (!result)
        result = show_all(shown, request, lines, request->filter ? &filter : NULL, error);
    if (!result && request->out)
        result = history_plots_draw(request->out, shown->cases, &shown->drawing, error);
    if (!result && request->out)
        result = write_page(shown, request->out, error);
    shown->results = json_array_size(lines);
    shown->machine_changes = machine_changes(lines);
    if (request->filter)
        regfree(&filter);
    json_decref(lines);
    return result;
}

void history_shown_free(history_shown *shown) {
    table_free(&shown->changes);
    json_decref(shown->pictures);
    *shown = (history_shown){0};
}
