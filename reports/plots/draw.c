#include "reports/plots/draw.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/plots/run/staging.h"
#include "reports/plots/tradeoff_plot.h"

int draw_move_files(const char *from, const char *to, const char *name, bool has_data, bool has_picture,
                    attn_error *error) {
    const struct {
        const char *extension;
        bool made;
    } files[] = {{".dat", has_data},
                 {".gp", has_data},
                 {".svg", has_data && has_picture},
                 {".png", has_data && has_picture},
                 {".pdf", has_data && has_picture}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i].made ? staging_move(from, to, name, files[i].extension, error)
                          : staging_remove_old(to, name, files[i].extension, error))
            return -1;
    return 0;
}

int figures_select(figure figures[PLOTS_MAX], size_t *count, const report_data *data, attn_error *error) {
    for (const plot *p = plots; p->name; p++)
        if (figure_select(&figures[(*count)++], p, data, error))
            return -1;
    return 0;
}

static int make_figures(figure *figures, size_t count, const report_data *data, const char *work, drawing *d,
                        attn_error *error) {
    drawing_job jobs[PLOTS_MAX];
    size_t drawn = 0;
    for (size_t i = 0; i < count; i++) {
        figure *f = &figures[i];
        if (figure_write(f, figures, count, data, work, error))
            return -1;
        if (f->points)
            jobs[drawn++] = (drawing_job){f->plot->name, f->picture.marks, &f->svg};
    }
    drawing_run(d, work, jobs, drawn);
    return 0;
}

int figures_draw(figure figures[PLOTS_MAX], size_t count, const report_data *data, const char *folder,
                 drawing *d, attn_error *error) {
    char *work = attn_make_folder(folder, error) ? NULL : staging_make(folder, error);
    int result = work ? make_figures(figures, count, data, work, d, error) : -1;
    for (size_t i = 0; !result && i < count; i++)
        result = draw_move_files(work, folder, figures[i].plot->name, figures[i].points > 0, figures[i].svg,
                                 error);
    if (work)
        staging_remove(work);
    attn_free(work);
    return result;
}

static int make_curves(tradeoffs *t, const char *work, drawing *d, attn_error *error) {
    drawing_job jobs[TRADEOFFS_MAX];
    for (size_t i = 0; i < t->count; i++) {
        if (tradeoff_write(&t->of[i], work, error))
            return -1;
        attn_free(t->of[i].svg);
        t->of[i].svg = NULL;
        jobs[i] = (drawing_job){t->of[i].name, NULL, &t->of[i].svg};
    }
    drawing_run(d, work, jobs, t->count);
    return 0;
}

int tradeoffs_draw(tradeoffs *t, const char *folder, drawing *d, attn_error *error) {
    char *work = attn_make_folder(folder, error) ? NULL : staging_make(folder, error);
    int result = work ? make_curves(t, work, d, error) : -1;
    for (size_t i = 0; !result && i < TRADEOFFS_MAX; i++) {
        char name[24];
        tradeoff_name(name, i);
        result = draw_move_files(work, folder, name, i < t->count, i < t->count && t->of[i].svg, error);
    }
    if (work)
        staging_remove(work);
    attn_free(work);
    return result;
}
