#include "reports/plots/tradeoff_plot.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/plots/figure_style.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *method, *colour;
    int point;
} styles[] = {{"average", "#d4456c", 13},   {"split", "#d9730d", 5},     {"joint", "#3b82d6", 7},
              {"activation", "#2c9c62", 9}, {"gqa mean", "#9d63d8", 11}, {"gqa activation", "#8d8150", 15}};
enum { STYLES = sizeof styles / sizeof *styles };

/* Zero has no place on a logarithmic axis. */
static const double LEAST_SHOWN = 1e-9;

static double number(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

/* One block a method, of those that have points; which[] gets their styles. Returns how many. */
static size_t write_points(FILE *out, const tradeoff *t, size_t which[STYLES]) {
    size_t blocks = 0, i;
    json_t *row;
    for (size_t s = 0; s < STYLES; s++) {
        size_t count = 0;
        json_array_foreach(t->points.rows, i, row) {
            double error = number(row, "output_error");
            if (strcmp(json_string_value(json_object_get(row, "method")), styles[s].method) ||
                json_is_null(json_object_get(row, "output_error")))
                continue;
            if (!count++)
                fprintf(out,
                        "%s# %s\n# cached numbers a frame | relative error of the output | cache MiB | "
                        "relative error of the key and value weights | Eckart-Young bound\n",
                        blocks ? "\n\n" : "", styles[s].method);
            fprintf(out, "%.0f %.6g %.6g %.6g %.6g\n", number(row, "latent_dim"),
                    error > LEAST_SHOWN ? error : LEAST_SHOWN, number(row, "cache_bytes") / 1048576.0,
                    number(row, "weights_error"), number(row, "weights_bound"));
        }
        if (count)
            which[blocks++] = s;
    }
    return blocks;
}

static void write_script(FILE *out, const tradeoff *t, const size_t *which, size_t blocks) {
    const json_t *first = json_array_get(t->points.rows, 0);
    char subject[96], inputs[96];
    double d_model = number(first, "d_model"), mib = number(first, "cache_bytes_mha") / 1048576.0;
    figure_safe_text(subject, sizeof subject, json_string_value(json_object_get(first, "subject")));
    figure_safe_text(inputs, sizeof inputs, json_string_value(json_object_get(first, "inputs")));
    fprintf(out,
            "# gnuplot %s.gp draws %s.svg, .png and .pdf from %s.dat\n"
            "set encoding utf8\n"
            "set terminal svg size 640,520 enhanced font 'sans-serif,14' name '%s' background 'white'\n"
            "set output '%s.svg'\n"
            "set title '%s' noenhanced\n"
            "set xlabel 'cached numbers a frame and layer (latent_dim)' noenhanced\n"
            "set ylabel 'relative error of the output' noenhanced\n"
            "set y2label 'cache at %.0f frames, MiB' noenhanced\n"
            "set border 11\nset tics nomirror\nset y2tics\nset grid lt 1 lw 0.5 lc rgb '#a0a0a0'\n"
            "set key below center horizontal Left reverse noenhanced samplen 2 height 1 font ',12'\n"
            "set pointsize 0.8\nset logscale y\nset format y '10^{%%L}'\n"
            "set xrange [0:%.0f]\nset y2range [0:%.6g]\nset yrange [:3]\n"
            "set arrow from %.0f, graph 0 to %.0f, graph 1 nohead dt 3 lc rgb '#808080'\n",
            t->name, t->name, t->name, t->name, t->name, subject, number(first, "frames"), 1.06 * d_model,
            0.53 * mib, d_model, d_model);
    fputs("plot ", out);
    for (size_t b = 0; b < blocks; b++)
        fprintf(
            out,
            "'%s.dat' index %zu using 1:2 with linespoints lc rgb '%s' pt %d lw 1.5 title '%s', \\\n     ",
            t->name, b, styles[which[b]].colour, styles[which[b]].point, styles[which[b]].method);
    fprintf(out, "%.10g * x axes x1y2 with lines lc rgb '#808080' dt 2 title 'cache, MiB (right)'\n",
            mib / (2 * d_model));
    fprintf(
        out,
        "set terminal pngcairo size 1280,1040 enhanced font 'Sans,14' fontscale 1.8 linewidth 2 pointscale "
        "2\nset output '%s.png'\nreplot\n"
        "set terminal pdfcairo size 15cm,12.2cm enhanced font 'Sans,10'\nset output '%s.pdf'\nreplot\n",
        t->name, t->name);
}

static int open_in(attn_output *output, const char *folder, const char *name, const char *extension,
                   attn_error *error) {
    char *path = attn_format(error, "%s/%s%s", folder, name, extension);
    int result = path ? attn_output_open(output, path, error) : -1;
    attn_free(path);
    return result;
}

int tradeoff_write(const tradeoff *t, const char *folder, attn_error *error) {
    attn_output points = {0}, script = {0};
    size_t which[STYLES] = {0};
    int result = -1;
    if (!open_in(&points, folder, t->name, ".dat", error) &&
        !open_in(&script, folder, t->name, ".gp", error)) {
        write_script(script.stream, t, which, write_points(points.stream, t, which));
        result = attn_output_commit(&points, error) || attn_output_commit(&script, error) ? -1 : 0;
    }
    attn_output_discard(&points);
    attn_output_discard(&script);
    return result;
}
