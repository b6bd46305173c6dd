#include "reports/plots/tradeoff_plot.h"

#include "attn/file.h"
#include "base/text/json.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/end_labels.h"
#include "reports/plots/look/frame.h"
#include "reports/plots/run/staging.h"

#include <math.h>
#include <stdbool.h>

/* Methods are no types, and lack their colours. */
static const struct {
    const char *method, *colour;
    int point;
} styles[] = {{"average", FIGURE_PART_0, 13},  {"split", FIGURE_PART_2, 5},
              {"joint", FIGURE_PART_1, 7},     {"activation", FIGURE_PART_3, 9},
              {"gqa mean", FIGURE_PART_4, 11}, {"gqa activation", FIGURE_BOUND, 15}};
enum { STYLES = sizeof styles / sizeof *styles };

/* Zero has no place on a logarithmic axis. */
static const double LEAST_SHOWN = 1e-9;

/* As drawn; NaN: the row has no point. */
static double output_error(const json_t *row) {
    double error = json_number(row, "output_error");
    return error < LEAST_SHOWN ? LEAST_SHOWN : error;
}

static bool is_of(const json_t *row, size_t style) {
    return json_text_is(row, "method", styles[style].method) && !isnan(output_error(row));
}

/* One block a method, of those that have points; which[] gets their styles. Returns how many. */
static size_t write_points(FILE *out, const tradeoff *t, size_t which[STYLES]) {
    size_t blocks = 0, i;
    json_t *row;
    for (size_t s = 0; s < STYLES; s++) {
        size_t count = 0;
        json_array_foreach(t->points.rows, i, row) {
            if (!is_of(row, s))
                continue;
            if (!count++)
                fprintf(out,
                        "%s# %s\n# cached numbers a frame | relative error of the output | cache MiB | "
                        "relative error of the key and value weights | Eckart-Young bound\n",
                        blocks ? "\n\n" : "", styles[s].method);
            fprintf(out, "%.0f %.6g %.6g %.6g %.6g\n", json_number(row, "latent_dim"), output_error(row),
                    json_number(row, "cache_bytes") / 1048576.0, json_number(row, "weights_error"),
                    json_number(row, "weights_bound"));
        }
        if (count)
            which[blocks++] = s;
    }
    return blocks;
}

/* Names stand where the smallest latents are, at which the methods differ most. */
static void name_methods(FILE *out, plot_frame *f, const tradeoff *t, const size_t *which, size_t blocks) {
    end_label labels[STYLES];
    for (size_t b = 0; b < blocks; b++) {
        double least = INFINITY, error = LEAST_SHOWN;
        size_t i;
        json_t *row;
        json_array_foreach(t->points.rows, i, row) {
            if (is_of(row, which[b]) && json_number(row, "latent_dim") < least) {
                least = json_number(row, "latent_dim");
                error = output_error(row);
            }
        }
        labels[b] = (end_label){.y = frame_y(f, error), .colour = styles[which[b]].colour};
        snprintf(labels[b].text, sizeof labels->text, "%s", styles[which[b]].method);
    }
    end_labels_spread(labels, blocks, 0.055);
    end_labels_write(out, labels, blocks);
}

static plot_frame frame_of(const tradeoff *t) {
    plot_frame f = frame_empty(520, 380, false, true);
    size_t i;
    json_t *row;
    json_array_foreach(t->points.rows, i, row) {
        if (!isnan(output_error(row)))
            frame_hold(&f, json_number(row, "latent_dim"), output_error(row));
    }
    frame_hold(&f, 0, 1);
    frame_close(&f);
    f.left = 70;
    f.right = 110;
    f.above = 52;
    return f;
}

static void write_script(FILE *out, const tradeoff *t, const size_t *which, size_t blocks) {
    const json_t *first = json_array_get(t->points.rows, 0);
    char subject[96], finding[160], title[160];
    double d_model = json_number(first, "d_model"), mib = json_number(first, "cache_bytes_mha") / 1048576.0;
    plot_frame f = frame_of(t);
    double slope = mib / (2 * d_model); /* of the cache's size */
    figure_safe_text(subject, sizeof subject, json_string_value(json_object_get(first, "subject")));
    tradeoff_title(finding, sizeof finding, t);
    figure_safe_title(title, sizeof title, finding);
    frame_write_head(out, t->name);
    fprintf(out,
            "set title \"%s\\n%s\" noenhanced\n"
            "set label 'cache at %.0f frames, MiB' at graph 0.5,1.13 center noenhanced tc rgb 'black'\n"
            "set border 7 lc rgb '#808080'\nset tics nomirror textcolor rgb 'black'\nset x2tics\n"
            "set grid lt 1 lw 0.5 lc rgb '#d0d0d0'\nset key off\nset pointsize 0.9\n",
            title, subject, json_number(first, "frames"));
    frame_write(out, &f);
    frame_write_axis_names(out, &f, "cached numbers a frame and layer (latent_dim)",
                           "relative error of the output");
    fprintf(out,
            "set format y '10^{%%L}'\nset x2range [%.6g:%.6g]\n"
            "set arrow from %.0f, graph 0 to %.0f, graph 1 nohead dt 3 lc rgb '%s'\n",
            f.x_least * slope, f.x_most * slope, d_model, d_model, FIGURE_BOUND);
    name_methods(out, &f, t, which, blocks);
    frame_write_start(out, &f, t->name);
    for (size_t b = 0; b < blocks; b++)
        fprintf(out, "%s'%s.dat' index %zu using 1:2 with linespoints lc rgb '%s' pt %d lw 1.5",
                b ? ", \\\n     " : "plot ", t->name, b, styles[which[b]].colour, styles[which[b]].point);
    fputs("\n", out);
    frame_write_end(out, &f, t->name);
}

int tradeoff_write(const tradeoff *t, const char *folder, attn_error *error) {
    attn_output points = {0}, script = {0};
    size_t which[STYLES] = {0};
    int result = -1;
    if (!staging_open(&points, folder, t->name, ".dat", error) &&
        !staging_open(&script, folder, t->name, ".gp", error)) {
        write_script(script.stream, t, which, write_points(points.stream, t, which));
        result = attn_output_commit(&points, error) || attn_output_commit(&script, error) ? -1 : 0;
    }
    attn_output_discard(&points);
    attn_output_discard(&script);
    return result;
}
