#include "reports/page/page.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/page/template/figure_titles.h"
#include "reports/page/template/mustache.h"

#include <string.h>

extern const mustache_file page_files[]; /* made by embed.sh from the templates and the style sheet */

/* The text of one of them, "page.css". */
static const char *page_file(const char *name) {
    const mustache_file *file = page_files;
    while (file->name && strcmp(file->name, name))
        file++;
    return file->text;
}

/* Parts of the page by name; each gives its data, or NULL with an error or for want of memory. */
static const struct {
    const char *key;
    json_t *(*data)(const report *r, attn_error *error);
} parts[] = {{"top", page_top},     {"tables", page_tables},       {"plots", page_plots},
             {"audit", page_audit}, {"tradeoffs", page_tradeoffs}, {"command", page_command},
             {"study", page_study}};

static json_t *page_data(const report *r, attn_error *error) {
    json_t *data =
        json_pack("{s:O, s:O, s:O, s:O, s:b}", "answer", r->answer, "trust", r->trust, "findings",
                  r->findings, "warnings", r->warnings, "has_warnings", json_array_size(r->warnings) > 0);
    for (size_t i = 0; data && i < sizeof parts / sizeof *parts; i++)
        if (json_object_set_new(data, parts[i].key, parts[i].data(r, error))) {
            json_decref(data);
            data = NULL;
        }
    if (!data)
        attn_no_memory(error, "page");
    return data;
}

int page_render(const char *folder, const char *name, json_t *data, attn_error *error) {
    if (!data || figure_titles_distinguish(data) ||
        json_object_set_new(data, "style", json_string(page_file("page.css"))) ||
        json_object_set_new(data, "script", json_string(page_file("page.js"))))
        return attn_no_memory(error, "page");
    attn_output output = {0};
    char *path = attn_format(error, "%s/index.html", folder);
    int failed = !path || attn_output_open(&output, path, error) ||
                 mustache_render(output.stream, page_files, name, data, error) ||
                 attn_output_commit(&output, error);
    attn_output_discard(&output);
    attn_free(path);
    return failed ? -1 : 0;
}

int page_write(const char *folder, const report *r, attn_error *error) {
    json_t *data = page_data(r, error);
    int result = data ? page_render(folder, "page.html", data, error) : -1;
    json_decref(data);
    return result;
}
