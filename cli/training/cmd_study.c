/* attnbench study: a table of trainings, and its page. */
#include "base/home.h"
#include "base/process/child.h"
#include "cli/frame/command.h"
#include "harness/study/study_plan.h"
#include "reports/page/study_report.h"

#include <stdio.h>

enum { MOST_JOBS = 256 };

static int check_options(const study_request *r, int list, long long jobs, attn_error *error) {
    if (option_needs("--plan", r->plan, error) || option_needs("--data", r->data, error) ||
        (!list && option_needs("--out", r->out, error)))
        return -1;
    return option_range("--jobs", jobs, 0, MOST_JOBS, error);
}

static int stopped(const char *out) {
    fprintf(stderr, "attnbench study: interrupted; finished runs are in %s/runs, the same command goes on\n",
            out);
    return 128 + child_stop_signal();
}

static int conclude(const study *s, const char *out, const drawing *pictures) {
    if (pictures->undrawn)
        fprintf(stderr, "attnbench study: pictures are missing: %s. Data and scripts are in plots/.\n",
                pictures->why);
    printf("%s/index.html: %zu runs, %zu failed; %zu were done before\n", out, s->runs.count, s->failed,
           s->was_done);
    return s->failed ? STATUS_FAILED : STATUS_OK;
}

static int conclude_shard(const study *s, const study_request *r) {
    printf("%s: shard %zu of %zu: %zu runs, %zu failed; %zu were done before\n", r->out, r->own.index,
           r->own.count, study_own_count(s), s->failed, s->was_done);
    return s->failed ? STATUS_FAILED : STATUS_OK;
}

static void list_runs(const study *s) {
    for (size_t i = 0; i < s->runs.count; i++)
        if (s->runs.at[i].state != STUDY_ELSEWHERE)
            puts(s->runs.at[i].name);
}

static int run(const study_request *r, int list, attn_error *error) {
    study s;
    drawing pictures = {0};
    int failed = study_open(&s, r, error), status = STATUS_OK;
    if (!failed && list)
        list_runs(&s);
    else if (!failed && r->own.count)
        failed = study_run_all(&s, r, error) || (status = conclude_shard(&s, r), 0);
    else if (!failed)
        failed = study_report_make(&s, r, &pictures, error) || (status = conclude(&s, r->out, &pictures), 0);
    study_close(&s);
    if (!failed)
        return status;
    return child_stop_signal() ? stopped(r->out) : command_fail("study", error);
}

int cmd_study(int argc, char **argv) {
    study_request r = {0};
    long long jobs = 0;
    char *part = NULL;
    char help[HOME_NAMES + 64];
    int list = 0, status;
    home_names_help(help, STUDY_PLAN_FOLDER);
    struct poptOption table[] = {
        {"plan", 'p', POPT_ARG_STRING, &r.plan, 0, help, "PLAN"},
        {"data", 'd', POPT_ARG_STRING, &r.data, 0, "needed: a corpus laid out as LibriSpeech is", "DIR"},
        {"out", 'o', POPT_ARG_STRING, &r.out, 0, "needed, but for --list: the folder of the study", "DIR"},
        {"jobs", 'j', POPT_ARG_LONGLONG, &jobs, 0,
         "runs at once, one a CPU (default: as many as there are CPUs)", "N"},
        {"shard", '\0', POPT_ARG_STRING, &part, 0,
         "only the K-th of N parts of the runs; then, without --shard, what is missing and the page", "K/N"},
        {"list", '\0', POPT_ARG_NONE, &list, 0, "print the names of the runs, and run nothing", NULL},
        POPT_TABLEEND};
    if (!command_options(
            argc, argv, "",
            "Trains every model of a plan, converts, tunes and evaluates them, and makes a page of it.\n"
            "Stopped at any moment, the same command goes on and gives the same weights.",
            table, NULL, &status))
        return status;
    attn_error error = {0};
    r.jobs = (size_t)(jobs > 0 ? jobs : 0);
    if (check_options(&r, list, jobs, &error) || shard_parse(&r.own, part, &error))
        return command_fail("study", &error);
    return run(&r, list, &error);
}
