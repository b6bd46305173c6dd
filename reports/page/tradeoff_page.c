#include "attn/alloc.h"
#include "reports/data/tradeoff.h"
#include "reports/page/html.h"

#include <stdbool.h>

static int write_finding(FILE *out, const tradeoff *t, attn_error *error) {
    char *text = tradeoff_finding(t, error);
    if (!text)
        return -1;
    fputs("<li>", out);
    html_text(out, text);
    fputs("</li>\n", out);
    attn_free(text);
    return 0;
}

static void write_figure(FILE *out, const tradeoff *t) {
    const json_t *first = json_array_get(t->points.rows, 0);
    bool held_out = json_is_true(json_object_get(first, "held_out"));
    fprintf(out, "<figure id=plot-%s>\n", t->name);
    fputs(t->svg ? t->svg : "not drawn", out);
    fputs("<figcaption>", out);
    html_printf(out,
                "Each point is a conversion that was made and run, on %s%s. Cache by formula, float32, %.0f "
                "frames. The dotted line is latent_dim = d_model, where a cache of the layer's input stands.",
                json_string_value(json_object_get(first, "inputs")),
                held_out ? ", apart from those that calibrated it" : ", which calibrated it too",
                json_number_value(json_object_get(first, "frames")));
    fprintf(out, " <a href=\"plots/%s.dat\">data</a> <a href=\"plots/%s.gp\">script</a>", t->name, t->name);
    if (t->svg)
        fprintf(out, " <a href=\"plots/%s.svg\">svg</a> <a href=\"plots/%s.png\">png</a>", t->name, t->name);
    fputs("</figcaption>\n</figure>\n", out);
}

static int write_points(FILE *out, const tradeoff *t, attn_error *error) {
    if (html_folded_table(out, &t->points, error))
        return -1;
    fputs("<p class=files>The same table:", out);
    for (int f = 0; table_format_names[f]; f++)
        fprintf(out, " <a href=\"tables/%s.%s\">%s</a>", t->name, table_format_names[f],
                table_format_names[f]);
    fputs("</p>\n", out);
    return 0;
}

int tradeoffs_section(FILE *out, const tradeoffs *t, attn_error *error) {
    if (!t->count)
        return 0;
    fputs(
        "<h2 id=tradeoff>What a smaller latent costs in accuracy</h2>\n"
        "<p>Keys and values of a layer are one linear map of its input, of rank d_model at most. So <b>from "
        "latent_dim = the rank of the stacked key and value weights on, <code>joint</code> is exact</b>: the "
        "paper's 50% costs nothing, and is the same as caching the layer's input. Below that, "
        "<code>joint</code> loses least of the weights (Eckart-Young) and <code>activation</code> least of "
        "the "
        "keys and values that real inputs produce; <code>average</code> is the published recipe.</p>\n<ul>\n",
        out);
    for (size_t i = 0; i < t->count; i++)
        if (write_finding(out, &t->of[i], error))
            return -1;
    fputs("</ul>\n<div class=plots>\n", out);
    for (size_t i = 0; i < t->count; i++)
        write_figure(out, &t->of[i]);
    fputs("</div>\n", out);
    for (size_t i = 0; i < t->count; i++)
        if (write_points(out, &t->of[i], error))
            return -1;
    return 0;
}
