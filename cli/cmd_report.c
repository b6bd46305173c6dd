/* attnbench report: a results file in, a page with tables and plots out. */
#include "cli/frame/command.h"
#include "reports/page/report.h"

#include <stdio.h>

static int one_file(const char *const *words, attn_error *error) {
    if (!words[0])
        return attn_fail(error, "a results file is needed: attnbench report R.json --out DIR");
    return words[1] ? attn_fail(error, "%s: unexpected argument, one results file is enough", words[1]) : 0;
}

static int print(const report_request *request, const drawing *pictures) {
    if (pictures->undrawn)
        fprintf(stderr, "attnbench report: %s: %s. Data and scripts are in plots/.\n",
                pictures->drawn ? "pictures are missing" : "no pictures", pictures->why);
    printf("%s/index.html\n", request->out);
    return pictures->undrawn ? STATUS_UNDECIDED : STATUS_OK;
}

int cmd_report(int argc, char **argv) {
    char *out = NULL, *paper_file = NULL;
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
        POPT_TABLEEND};
    if (!command_options(argc, argv, "R.json", "Makes a page, tables and plots of a results file.", options,
                         &words, &status))
        return status;
    attn_error error = {0};
    drawing pictures = {0};
    const report_request request = {words[0], out, paper_file, tradeoff_files, profile_files};
    if (one_file(words, &error) || option_needs("--out", out, &error) ||
        report_make(&request, &pictures, &error))
        return command_fail("report", &error);
    return print(&request, &pictures);
}
