#include "reports/plots/run/gnuplot.h"

#include "attn/alloc.h"
#include "attn/size.h"
#include "base/process/child.h"
#include "reports/plots/run/inline_svg.h"

#include <stdio.h>

static const double LIMIT = 60; /* seconds of a process, which takes a few */
enum { FAILURES_IN_ROW = 2, TOGETHER = 32, SCRIPT_NAME = 128 };

gnuplot_result gnuplot_run(const char *folder, const char *name, double limit, attn_error *error) {
    char script[SCRIPT_NAME], program[] = "gnuplot", option[] = "-d";
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

/* Nothing of one picture may hold for the next, which is to be the same as when it is drawn alone. A reset leaves the pen
 * of the SVG terminal as it was; gnuplot's test picture leaves it as it is at the start. */
#define AFRESH "reset; set terminal svg; set output '/dev/null'; test"

/* False: it failed somewhere, and may have drawn some. */
static bool draw_together(const char *folder, const drawing_job *jobs, size_t count) {
    char program[] = "gnuplot", option[] = "-d", expression[] = "-e", afresh[] = AFRESH;
    char scripts[TOGETHER][SCRIPT_NAME], *arguments[2 + 3 * TOGETHER + 1] = {program, option};
    char **to = arguments + 2;
    const child_place place = {.cpu = -1, .limit = LIMIT, .folder = folder};
    child_result child = {0};
    for (size_t i = 0; i < count; i++) {
        snprintf(scripts[i], SCRIPT_NAME, "%s.gp", jobs[i].name);
        *to++ = expression;
        *to++ = afresh;
        *to++ = scripts[i];
    }
    bool ended = !child_run(&child, arguments, &place, NULL);
    attn_free(child.output);
    return ended && !child.late && !child.status;
}

static bool goes_on(const drawing *d) {
    return !d->missing && d->failed_in_row < FAILURES_IN_ROW;
}

static void finish(drawing *d, const char *folder, const drawing_job *job, bool drawn) {
    attn_error why = {0};
    if (!goes_on(d)) {
        d->undrawn++;
        return;
    }
    gnuplot_result result = drawn ? GNUPLOT_DRAWN : gnuplot_run(folder, job->name, LIMIT, &why);
    if (result == GNUPLOT_DRAWN && job->svg && !(*job->svg = inline_svg(folder, job->name, job->marks, &why)))
        result = GNUPLOT_FAILED;
    note(d, result, &why);
}

void drawing_run(drawing *d, const char *folder, const drawing_job *jobs, size_t count) {
    for (size_t first = 0; first < count; first += TOGETHER) {
        size_t end = attn_smaller(first + TOGETHER, count);
        bool drawn = end - first > 1 && goes_on(d) && draw_together(folder, jobs + first, end - first);
        for (size_t i = first; i < end; i++)
            finish(d, folder, &jobs[i], drawn);
    }
}
