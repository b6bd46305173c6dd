#include "reports/study/study_plots.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/json.h"
#include "reports/plots/figure_style.h"
#include "reports/plots/look/frame.h"
#include "reports/plots/run/staging.h"
#include "reports/study/study_lines.h"

#include <dirent.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

typedef struct picture {
    const char *name, *title, *x_label, *y_label, *x, *y; /* keys of models; x NULL: learning curves */
    double x_scale;
    bool tuned, points; /* points: no lines between them */
    const char *about;
} picture;

#define ABOUT_WER "Bars: 95% intervals by the bootstrap over utterances, which are the same for all models."
static const picture pictures[] = {
    {"wer_cache", "Word error rate against KV cache", "KV cache of a whole utterance, KiB", "WER, %",
     "kv_bytes", "wer_percent", 1.0 / 1024, false, false, ABOUT_WER},
    {"loss_cache", "CTC loss against KV cache", "KV cache of a whole utterance, KiB", "CTC loss an utterance",
     "kv_bytes", "loss", 1.0 / 1024, false, false,
     "The loss moves where few words are wrong: one word more or less moves the error rate by a step."},
    {"wer_latent", "Word error rate against latent_dim", "latent_dim", "WER, %", "latent_dim", "wer_percent",
     1, false, false, ABOUT_WER},
    {"loss_latent", "CTC loss against latent_dim", "latent_dim", "CTC loss an utterance", "latent_dim",
     "loss", 1, false, false, "latent_dim = d_model is exact by conversion; below it something is lost."},
    {"wer_latency", "Word error rate against latency", "time of one chunk of a stream, ms", "WER, %",
     "chunk_ms", "wer_percent", 1, false, true, ABOUT_WER},
    {"loss_latency", "CTC loss against latency", "time of one chunk of a stream, ms", "CTC loss an utterance",
     "chunk_ms", "loss", 1, false, true, "Time is the wall clock, median of the runs of profile-kv."},
    {"curves", "Learning curves from scratch", "epoch", "CTC loss, development split", NULL, NULL, 1, false,
     false, "Mean over seeds (and folds)."},
    {"curves_tuned", "Learning curves of tuned models", "epoch, those of the first training included",
     "CTC loss, development split", NULL, NULL, 1, true, false,
     "A control is the same multi-head attention, trained as much longer."}};
enum { PICTURES = sizeof pictures / sizeof *pictures };

/* ---- Data ---- */

static double shown(double y, const char *key) {
    static const double least = 0.05;
    return key && !strcmp(key, "wer_percent") && y < least ? least
                                                           : y; /* zero has no place on a logarithmic axis */
}

static void write_data(FILE *out, const study_lines *l, const picture *p) {
    for (size_t i = 0; i < l->count; i++) {
        const study_line *line = &l->at[i];
        fprintf(out, "%s# %s\n# %s | %s | low | high\n", i ? "\n\n" : "", line->title, p->x_label,
                p->y_label);
        for (size_t k = 0; k < line->count; k++) {
            double y = shown(line->y[k], p->y);
            bool interval = !isnan(line->low[k]);
            fprintf(out, "%.9g %.9g %.9g %.9g\n", line->x[k] * p->x_scale, y,
                    interval ? shown(line->low[k], p->y) : y, interval ? shown(line->high[k], p->y) : y);
        }
    }
}

/* ---- Script ---- */

static int point_of(const study_line *line) {
    return !strcmp(line->origin, "scratch")       ? 7
           : !strcmp(line->origin, "converted")   ? 6
           : !strcmp(line->origin, "fine_tuned")  ? 9
           : !strcmp(line->origin, "progressive") ? 13
           : !strcmp(line->origin, "control")     ? 5
                                                  : 15;
}

static int dash_of(const study_line *line) {
    return !strcmp(line->origin, "scratch")       ? 1
           : !strcmp(line->origin, "converted")   ? 3
           : !strcmp(line->origin, "fine_tuned")  ? 2
           : !strcmp(line->origin, "progressive") ? 4
                                                  : 5;
}

static const char *colour_of(const study_line *line) {
    const measured m = {.variant = attn_variant_find(line->type)};
    return !strcmp(line->origin, "without_attention") ? FIGURE_BOUND : figure_colour(&m);
}

/* Intervals first, so that points stand on them. */
static void write_intervals(FILE *out, const study_lines *l, const char *name) {
    for (size_t i = 0; i < l->count; i++)
        fprintf(out,
                "'%s.dat' index %zu using 1:2:3:4 with yerrorbars lc rgb '%s' pt 7 ps 0.1 lw 1 notitle, \\\n "
                "    ",
                name, i, colour_of(&l->at[i]));
}

static void write_lines(FILE *out, const study_lines *l, const picture *p, const char *name) {
    static const char *const levels[] = {"attention switched off", "trained without attention"};
    char title[80];
    fputs("plot ", out);
    if (p->y && !strcmp(p->y, "wer_percent"))
        write_intervals(out, l, name);
    for (size_t i = 0; i < l->count; i++) {
        const study_line *line = &l->at[i];
        figure_safe_text(title, sizeof title, line->title);
        fprintf(out,
                "'%s.dat' index %zu using 1:2 with %s lc rgb '%s' pt %d dt %d lw 1.5 title '%s', \\\n     ",
                name, i, p->points ? "points" : "linespoints", colour_of(line), point_of(line), dash_of(line),
                title);
    }
    for (size_t i = 0; i < 2; i++)
        if (!isnan(l->level[i]))
            fprintf(out, "%.9g with lines lc rgb '" FIGURE_BOUND "' dt %d lw 1.5 title '%s', \\\n     ",
                    l->level[i], i ? 2 : 3, levels[i]);
    fputs("NaN notitle\n", out);
}

static int key_rows(const study_lines *l) {
    enum { COLUMNS = 2 };
    return ((int)l->count + !isnan(l->level[0]) + !isnan(l->level[1]) + COLUMNS - 1) / COLUMNS;
}

static plot_frame frame_of(const study_lines *l, const picture *p) {
    enum { ROW = 18 };
    plot_frame f = frame_empty(520, 340, false, true);
    double x_from = p->x ? 0 : l->at[0].x[0];
    for (size_t i = 0; i < l->count; i++)
        for (size_t k = 0; k < l->at[i].count; k++) {
            const study_line *line = &l->at[i];
            frame_hold(&f, line->x[k] * p->x_scale, shown(line->y[k], p->y));
            if (!isnan(line->low[k])) {
                frame_hold(&f, x_from, shown(line->low[k], p->y));
                frame_hold(&f, x_from, shown(line->high[k], p->y));
            }
        }
    frame_hold(&f, x_from, f.y_least);
    for (size_t i = 0; i < 2; i++)
        frame_hold(&f, x_from, shown(l->level[i], p->y));
    frame_close(&f);
    f.low += ROW * key_rows(l);
    f.height += ROW * key_rows(l);
    f.headroom = 40;
    return f;
}

static void write_script(FILE *out, const study_lines *l, const picture *p, const study_figure *f) {
    char title[200];
    plot_frame frame = frame_of(l, p);
    figure_safe_text(title, sizeof title, f->title);
    fprintf(out,
            "# gnuplot %s.gp draws %s.svg, .png and .pdf from %s.dat, and %s.page.svg without a title\n"
            "set encoding utf8\nset terminal svg\nset title '%s' noenhanced font ',13'\n"
            "set border 3 lc rgb '#808080'\nset tics nomirror textcolor rgb 'black'\n"
            "set grid lt 1 lw 0.5 lc rgb '#d0d0d0'\n"
            "set key at screen 0.5, screen 0.01 center bottom vertical maxrows %d Left reverse noenhanced "
            "samplen 3 font ',12' tc rgb 'black'\n"
            "set pointsize 0.8\n%s",
            f->name, f->name, f->name, f->name, title, key_rows(l), p->x ? "" : "set xtics 1\n");
    frame_write(out, &frame);
    frame_write_axis_names(out, &frame, p->x_label, p->y_label);
    frame_write_y_ticks(out, &frame);
    frame_write_start(out, &frame, f->name);
    write_lines(out, l, p, f->name);
    frame_write_end(out, &frame, f->name);
}

static int write_files(const study_lines *l, const picture *p, const study_figure *f, const char *folder,
                       attn_error *error) {
    attn_output data = {0}, script = {0};
    int failed = staging_open(&data, folder, f->name, ".dat", error) ||
                 staging_open(&script, folder, f->name, ".gp", error);
    if (!failed) {
        write_data(data.stream, l, p);
        write_script(script.stream, l, p, f);
        failed = attn_output_commit(&data, error) || attn_output_commit(&script, error);
    }
    attn_output_discard(&data);
    attn_output_discard(&script);
    return failed ? -1 : 0;
}

/* ---- Pictures of a model ---- */

static int add_picture(study_data *d, const char *model, size_t number, const picture *p, const char *folder,
                       drawing *drawn, attn_error *error) {
    study_lines lines;
    if (p->x)
        study_lines_of(&lines, d, model, p->x, p->y);
    else
        study_curves_of(&lines, d, model, p->tuned);
    if (!lines.count || d->figure_count == STUDY_FIGURES_MAX)
        return 0;
    study_figure *f = &d->figures[d->figure_count++];
    snprintf(f->name, sizeof f->name, "study_%zu_%s", number, p->name);
    snprintf(f->title, sizeof f->title, "%s, %.40s%s", p->title, model,
             d->synthetic ? ", synthetic speech" : "");
    snprintf(f->about, sizeof f->about, "%s%s%s%s %s", d->synthetic ? "Synthetic speech. " : "",
             p->x ? d->heard : "", p->x ? " " : "", p->about,
             p->x && !strcmp(p->x, "kv_bytes") ? "Bytes by formula, equal to the live ones; float32." : "");
    if (write_files(&lines, p, f, folder, error))
        return -1;
    f->svg = drawing_run_inline(drawn, folder, f->name, NULL);
    return 0;
}

static bool seen_before(const study_data *d, size_t row, const char *model) {
    for (size_t i = 0; i < row; i++)
        if (!strcmp(json_text(json_array_get(d->models, i), "model"), model))
            return true;
    return false;
}

static int make_pictures(study_data *d, const char *folder, drawing *drawn, attn_error *error) {
    size_t i, number = 0;
    json_t *row;
    json_array_foreach(d->models, i, row) {
        const char *model = json_text(row, "model");
        if (seen_before(d, i, model))
            continue;
        number++;
        for (size_t k = 0; k < PICTURES; k++)
            if (add_picture(d, model, number, &pictures[k], folder, drawn, error))
                return -1;
    }
    return 0;
}

static int move_figure(const study_figure *f, const char *from, const char *to, attn_error *error) {
    static const char *const extensions[] = {".dat", ".gp", ".svg", ".png", ".pdf"};
    for (size_t i = 0; i < (f->svg ? 5 : 2); i++)
        if (staging_move(from, to, f->name, extensions[i], error))
            return -1;
    return 0;
}

static void remove_old(const char *folder) {
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (!strncmp(entry->d_name, "study_", 6))
            unlinkat(dirfd(open), entry->d_name, 0);
    if (open)
        closedir(open);
}

int study_plots_draw(study_data *d, const char *folder, drawing *drawn, attn_error *error) {
    d->figures = attn_alloc(STUDY_FIGURES_MAX, sizeof *d->figures, "figures", error);
    char *work = !d->figures || attn_make_folder(folder, error) ? NULL : staging_make(folder, error);
    int failed = work ? make_pictures(d, work, drawn, error) : -1;
    if (!failed)
        remove_old(folder);
    for (size_t i = 0; !failed && i < d->figure_count; i++)
        failed = move_figure(&d->figures[i], work, folder, error);
    if (work)
        staging_remove(work);
    attn_free(work);
    return failed;
}
