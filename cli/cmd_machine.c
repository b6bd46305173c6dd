/* attnbench machine: what this core and memory can do. */
#include "base/process/child.h"
#include "cli/frame/command.h"
#include "harness/machine/survey.h"
#include "reports/tables/survey_print.h"

#include <stdio.h>

static const char *const formats[] = {"md", "csv", "json", NULL};

static int stopped(const char *out) {
    fputs("attnbench machine: interrupted", stderr);
    if (out)
        fprintf(stderr, "; finished cases are in %s.journal, the same command resumes", out);
    fputs("\n", stderr);
    return 128 + sweep_stop_signal();
}

static int run(const survey_request *request, int format, attn_error *error) {
    results r;
    survey s;
    sweep_outcome outcome = {0};
    int status = -1;
    if (survey_run(&r, &outcome, request, error)) {
        status = sweep_stop_signal() ? stopped(request->out) : -1;
        goto done;
    }
    if (outcome.was_complete)
        fprintf(stderr, "%s: complete already; nothing was run\n", request->out);
    survey_of(&s, &r);
    if (!survey_print(&s, &r, (table_format)format, stdout, error))
        status = outcome.failed ? STATUS_FAILED : STATUS_OK;
done:
    results_free(&r);
    return status;
}

int cmd_machine(int argc, char **argv) {
    static char md[] = "md";
    char *out = NULL, *filter = NULL, *format_name = md;
    int cpu = -1, restart = 0, status;
    struct poptOption options[] = {
        {"out", 'o', POPT_ARG_STRING, &out, 0, "keep the results there, for report and compare", "R.json"},
        {"format", 'f', POPT_ARG_STRING, &format_name, 0, "md, csv or json (default md)", "FORMAT"},
        {"filter", '\0', POPT_ARG_STRING, &filter, 0,
         "only rows of the plan `machine` that it finds something in", "REGEX"},
        {"cpu", '\0', POPT_ARG_INT, &cpu, 0, "pin to this CPU (default: the last one allowed)", "N"},
        {"restart", '\0', POPT_ARG_NONE, &restart, 0, "drop all that is at --out", NULL},
        POPT_TABLEEND};
    if (!command_options(
            argc, argv, "",
            "What this core and memory can do, measured in a minute or two: the clock and "
            "the peak of arithmetic by\ninstruction set, bandwidths and latency by working set, the "
            "levels of memory as the latency shows them, the\nreach of TLBs, how long a line takes "
            "to another core, and what all cores reach together. Runs the plan `machine` (docs/machine.md).",
            options, NULL, &status))
        return status;
    attn_error error = {0};
    int format = option_choice("--format", format_name, formats, &error);
    survey_request request = {.out = out, .filter = filter, .cpu = cpu, .restart = restart};
    status = format < 0 ? -1 : run(&request, format, &error);
    return status < 0 ? command_fail(argv[0], &error) : status;
}
