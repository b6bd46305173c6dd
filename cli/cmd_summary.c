/* attnbench summary: the first screen of a report, in a terminal. */
#include "cli/frame/command.h"
#include "harness/results/finished.h"
#include "reports/page/summary_print.h"
#include "reports/study/study_data.h"

#include <stdio.h>

static int one_file(const char *const *words, attn_error *error) {
    if (!words[0])
        return attn_fail(error, "a results file is needed: attnbench summary R.json");
    return words[1] ? attn_fail(error, "%s: unexpected argument, one results file is enough", words[1]) : 0;
}

static int print(const char *path, const char *study, bool markdown, attn_error *error) {
    results from = {0};
    report_data data = {0};
    study_data heard = {0};
    int result = results_read_finished(&from, path, error) || report_data_init(&data, &from, error) ||
                         (study && study_data_read(&heard, study, error))
                     ? -1
                     : 0;
    data.study = study ? &heard : NULL;
    if (!result)
        result = summary_print(&data, markdown, stdout, error);
    study_data_free(&heard);
    report_data_free(&data);
    results_free(&from);
    return result;
}

int cmd_summary(int argc, char **argv) {
    static const char *const formats[] = {"text", "md", NULL};
    static char text[] = "text";
    char *format_name = text, *study = NULL;
    int status, format;
    const char *const *words;
    struct poptOption options[] = {{"format", 'f', POPT_ARG_STRING, &format_name, 0,
                                    "text, or md for a pull request (default text)", "FORMAT"},
                                   {"study", '\0', POPT_ARG_STRING, &study, 0,
                                    "also show how well the models of the study in this folder recognise",
                                    "DIR"},
                                   POPT_TABLEEND};
    if (!command_options(
            argc, argv, "R.json",
            "The first screen of the report: what a quarter of the cache does to bytes and times, "
            "with bars, and what to know before\ntrusting it.",
            options, &words, &status))
        return status;
    attn_error error = {0};
    format = option_choice("--format", format_name, formats, &error);
    if (format < 0 || one_file(words, &error) || print(words[0], study, format == 1, &error))
        return command_fail("summary", &error);
    return STATUS_OK;
}
