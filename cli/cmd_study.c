/* attnbench study: a table of trainings, and its page. */
#include "attn/alloc.h"
#include "attn/file.h"
#include "base/process/child.h"
#include "cli/frame/command.h"
#include "harness/study/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_JOBS = 256 };

static int check_options(const study_request *r, long long jobs, attn_error *error) {
    if (option_needs("--plan", r->plan, error) || option_needs("--data", r->data, error) ||
        (!r->list && option_needs("--out", r->out, error)))
        return -1;
    return option_range("--jobs", jobs, 0, MOST_JOBS, error);
}

static int write_results(const study_outcome *o, const char *out, attn_error *error) {
    char *path = attn_format(error, "%s/study.json", out);
    char *text = path ? json_dumps(o->results, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
    int failed = text ? attn_write_file(path, text, strlen(text), error) : attn_no_memory(error, path);
    free(text);
    attn_free(path);
    return failed;
}

static int stopped(const char *out) {
    fprintf(stderr, "attnbench study: interrupted; finished runs are in %s/runs, the same command goes on\n",
            out);
    return 128 + child_stop_signal();
}

int cmd_study(int argc, char **argv) {
    study_request r = {0};
    long long jobs = 0;
    int list = 0, status;
    struct poptOption table[] = {
        {"plan", 'p', POPT_ARG_STRING, &r.plan, 0, "needed: a name (quick, full) or a file", "PLAN"},
        {"data", 'd', POPT_ARG_STRING, &r.data, 0, "needed: a corpus laid out as LibriSpeech is", "DIR"},
        {"out", 'o', POPT_ARG_STRING, &r.out, 0, "needed, but for --list: the folder of the study", "DIR"},
        {"jobs", 'j', POPT_ARG_LONGLONG, &jobs, 0,
         "runs at once, one a CPU (default: as many as there are CPUs)", "N"},
        {"list", '\0', POPT_ARG_NONE, &list, 0, "print the names of the runs, and run nothing", NULL},
        POPT_TABLEEND};
    if (!command_options(
            argc, argv, "",
            "Trains every model of a plan, converts, tunes and evaluates them, and makes a page of it.\n"
            "Stopped at any moment, the same command goes on and gives the same weights.",
            table, NULL, &status))
        return status;
    attn_error error = {0};
    study_outcome outcome;
    r.list = list;
    r.jobs = (size_t)(jobs > 0 ? jobs : 0);
    if (check_options(&r, jobs, &error))
        return command_fail("study", &error);
    if (study_make(&outcome, &r, &error))
        return child_stop_signal() ? stopped(r.out) : command_fail("study", &error);
    if (r.list)
        return STATUS_OK;
    int failed = write_results(&outcome, r.out, &error);
    json_decref(outcome.results);
    if (failed)
        return command_fail("study", &error);
    printf("%s: %zu runs, %zu failed; %zu were done before\n", r.out, outcome.runs, outcome.failed,
           outcome.was_done);
    return outcome.failed ? STATUS_FAILED : STATUS_OK;
}
