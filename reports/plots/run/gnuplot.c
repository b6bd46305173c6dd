#include "reports/plots/run/gnuplot.h"

#include "attn/alloc.h"
#include "base/process/child.h"
#include "reports/plots/run/inline_svg.h"

#include <stdio.h>

static const double LIMIT = 60; /* seconds for one picture, which takes a fraction of one */
enum { FAILURES_IN_ROW = 2 };

gnuplot_result gnuplot_run(const char *folder, const char *name, double limit, attn_error *error) {
    char script[128], program[] = "gnuplot", option[] = "-d";
    char *const arguments[] = {program, option, script, NULL};
    const child_place place = {.cpu = -1, .limit = limit, .folder = folder};
    child_result child = {0};
    attn_error why = {0};
    snprintf(script, sizeof script, "%s.gp", name);
    if (child_run(&child, arguments, &place, &why)) {
        attn_fail(error, "%s", why.message);
        return why.code == ATTN_ERROR_UNSUPPORTED ? GNUPLOT_MISSING : GNUPLOT_FAILED;
    }
    if (child.late)
        attn_fail(error, "gnuplot %s: it was not done after %.3g s", script, limit);
    else if (child.status)
        attn_fail(error, "gnuplot %s: %s", script,
                  *child.message ? child.message : "it failed without a word");
    attn_free(child.output);
    return child.late || child.status ? GNUPLOT_FAILED : GNUPLOT_DRAWN;
}

static void note(drawing *d, gnuplot_result result, const attn_error *why) {
    d->drawn += result == GNUPLOT_DRAWN;
    d->undrawn += result != GNUPLOT_DRAWN;
    d->missing |= result == GNUPLOT_MISSING;
    d->failed_in_row = result == GNUPLOT_FAILED ? d->failed_in_row + 1 : 0;
    if (result != GNUPLOT_DRAWN && !*d->why)
        snprintf(d->why, sizeof d->why, "%.199s",
                 result == GNUPLOT_MISSING ? "gnuplot is not installed (Debian: gnuplot-nox)" : why->message);
}

/* `svg` may be NULL: the picture is not for a page. */
static bool run(drawing *d, const char *folder, const char *name, const json_t *marks, char **svg) {
    attn_error why = {0};
    if (d->missing || d->failed_in_row == FAILURES_IN_ROW) {
        d->undrawn++;
        return false;
    }
    gnuplot_result result = gnuplot_run(folder, name, LIMIT, &why);
    if (result == GNUPLOT_DRAWN && svg && !(*svg = inline_svg(folder, name, marks, &why)))
        result = GNUPLOT_FAILED;
    note(d, result, &why);
    return result == GNUPLOT_DRAWN;
}

bool drawing_run(drawing *d, const char *folder, const char *name) {
    return run(d, folder, name, NULL, NULL);
}

char *drawing_run_inline(drawing *d, const char *folder, const char *name, const json_t *marks) {
    char *svg = NULL;
    run(d, folder, name, marks, &svg);
    return svg;
}
