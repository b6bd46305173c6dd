#include "reports/fleet/fleet_plots.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "reports/fleet/fleet_lines.h"
#include "reports/plots/draw.h"
#include "reports/plots/run/staging.h"

static const struct {
    const char *name, *title, *about;
    const char *plot; /* of the report; NULL: speed against the base */
} list[FLEET_PLOTS] = {
    {"fleet_speed", "Speed against the base",
     "Geometric means over the cases that machine and base share, by what the cases are of. Above 1: faster "
     "than the base.",
     NULL},
    {"fleet_decode", "Decode: time per frame against length",
     "One layer, one new frame a call. CPU time, medians.", "decode_time"},
    {"fleet_prefill", "Prefill: time against length", "One layer over the whole input. CPU time, medians.",
     "prefill_time"},
};

static int write_figure(fleet_figure *drawn, const fleet *f, const char *source, const char *work,
                        attn_error *error) {
    attn_output points = {0}, script = {0};
    int result = -1;
    if (!staging_open(&points, work, drawn->name, ".dat", error) &&
        !staging_open(&script, work, drawn->name, ".gp", error) &&
        !(source ? fleet_write_plot(drawn, f, source, points.stream, script.stream, error)
                 : fleet_write_speed(drawn, f, points.stream, script.stream, error)))
        result = attn_output_commit(&points, error) || attn_output_commit(&script, error) ? -1 : 0;
    attn_output_discard(&points);
    attn_output_discard(&script);
    return result;
}

static int make_figures(fleet_figure *figures, const fleet *f, const char *work, const char *folder,
                        drawing *d, attn_error *error) {
    drawing_job jobs[FLEET_PLOTS];
    size_t count = 0;
    for (size_t i = 0; i < FLEET_PLOTS; i++) {
        fleet_figure *drawn = &figures[i];
        *drawn = (fleet_figure){.name = list[i].name, .title = list[i].title, .about = list[i].about};
        if (write_figure(drawn, f, list[i].plot, work, error))
            return -1;
        if (drawn->lines)
            jobs[count++] = (drawing_job){drawn->name, NULL, &drawn->svg};
    }
    drawing_run(d, work, jobs, count);
    for (size_t i = 0; i < FLEET_PLOTS; i++)
        if (draw_move_files(work, folder, figures[i].name, figures[i].lines > 0, figures[i].svg != NULL,
                            error))
            return -1;
    return 0;
}

int fleet_draw(fleet_figure figures[FLEET_PLOTS], const fleet *f, const char *folder, drawing *d,
               attn_error *error) {
    char *work = attn_make_folder(folder, error) ? NULL : staging_make(folder, error);
    int result = work ? make_figures(figures, f, work, folder, d, error) : -1;
    if (work)
        staging_remove(work);
    attn_free(work);
    return result;
}

void fleet_figures_free(fleet_figure figures[FLEET_PLOTS]) {
    for (size_t i = 0; i < FLEET_PLOTS; i++)
        attn_free(figures[i].svg);
}
