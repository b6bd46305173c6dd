/* attnbench report: results files in, a page with tables and plots out. */
#include "cli/frame/command.h"
#include "reports/fleet/fleet_report.h"

#include <stdio.h>

static int some_file(const char *const *words, attn_error *error) {
    return words[0] ? 0 : attn_fail(error, "a results file is needed: attnbench report R.json... --out DIR");
}

static int print(const report_request *request, const drawing *pictures) {
    if (pictures->undrawn)
        fprintf(stderr, "attnbench report: %s: %s. Data and scripts are in plots/.\n",
                pictures->drawn ? "pictures are missing" : "no pictures", pictures->why);
    printf("%s/index.html\n", request->out);
    return pictures->undrawn ? STATUS_UNDECIDED : STATUS_OK;
}

int cmd_report(int argc, char **argv) {
    char *out = NULL, *paper_file = NULL, *base = NULL, *study = NULL, *columns = NULL;
    const char **tradeoff_files = NULL, **profile_files = NULL;
    int status;
    const char *const *words;
    struct poptOption options[] = {
        {"out", 'o', POPT_ARG_STRING, &out, 0, "needed: folder for the page, tables and plots", "DIR"},
        {"profile", '\0', POPT_ARG_ARGV, &profile_files, 0,
         "also show these models on speech, of profile-kv --format json (may be given again)", "P.json"},
        {"paper", '\0', POPT_ARG_STRING, &paper_file, 0,
         "show live bytes in the audit of the paper, of paper --live --format json", "A.json"},
        {"tradeoff", '\0', POPT_ARG_ARGV, &tradeoff_files, 0,
         "also show these trade-off curves, of analyze --sweep --format json (may be given again)", "T.json"},
        {"study", '\0', POPT_ARG_STRING, &study, 0, "also show the study in this folder, of attnbench study",
         "DIR"},
        {"columns", '\0', POPT_ARG_STRING, &columns, 0,
         "show these columns of the tables, by their names in csv with commas between, or all (default: "
         "those that fit a page)",
         "LIST"},
        {"base", '\0', POPT_ARG_STRING, &base, 0,
         "of several machines the one that ratios are to: its name, host or file (default: the first)",
         "NAME"},
        POPT_TABLEEND};
    if (!command_options(
            argc, argv, "R.json...",
            "Makes a page, tables and plots of a results file. Several files, or one of several CPUs, are\n"
            "several machines side by side, with a page of each below.",
            options, &words, &status))
        return status;
    attn_error error = {0};
    drawing pictures = {0};
    const report_request request = {out, paper_file, tradeoff_files, profile_files, study, columns};
    if (some_file(words, &error) || option_needs("--out", out, &error) ||
        fleet_report_make(words, base, &request, &pictures, &error))
        return command_fail("report", &error);
    return print(&request, &pictures);
}
