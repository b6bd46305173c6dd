/* attnbench compare: two stored results files. */
#include "base/option_values.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "cli/frame/command.h"
#include "harness/gate/compare.h"
#include "harness/gate/decide/one_process.h"
#include "harness/gate/report/report_output.h"
#include "harness/results/results.h"

#include <math.h>
#include <stdio.h>

static const char description[] =
    "Compares stored results of two programs, case by case. A file gives one time a case, the median over\n"
    "its processes, so noise between runs is judged by how much all cases differ, and verdicts are weak:\n"
    "attnbench gate runs both programs now, and sees more. Refuses (exit status 3) when the machines or\n"
    "builds differ.";

typedef struct compare_options {
    char *min_effect, *noise;
    int force;
    gate_output output;
} compare_options;

static json_t *notes(const results *base, const results *candidate, const char *base_path,
                     const char *candidate_path, const char *differences) {
    char lines[2][300];
    const results *const both[] = {base, candidate};
    const char *const paths[] = {base_path, candidate_path}, *const names[] = {"base", "candidate"};
    for (size_t i = 0; i < 2; i++)
        snprintf(lines[i], sizeof lines[i], "%s: %.100s, commit %.40s, %.40s", names[i], paths[i],
                 results_text(both[i], "commit", "unknown"), json_text(both[i]->context, "date"));
    json_t *list = json_pack("[oo]", utf8_json(lines[0]), utf8_json(lines[1]));
    json_array_append_new(list, json_string("one time a case and side: how much runs differ is judged by the "
                                            "differences of all cases"));
    if (*differences)
        json_array_append_new(list, utf8_sprintf("FORCED, not comparable: %s", differences));
    return list;
}

static int compare(const compare_options *o, const char *base_path, const char *candidate_path,
                   attn_error *error) {
    results base = {0}, candidate = {0};
    gate_rule rule = {.alpha = GATE_ALPHA, .beta = GATE_BETA};
    gate_report report = {0};
    double noise = NAN;
    char differences[1024], caution[1100];
    int status = -1;
    if (gate_output_check(&o->output, error) ||
        word_percent(&rule.min_effect, "--min-effect", o->min_effect, error) ||
        (o->noise && word_percent(&noise, "--noise", o->noise, error)) ||
        results_read_times(&base, base_path, error) || results_read_times(&candidate, candidate_path, error))
        goto done;
    size_t differing = compare_surroundings(differences, sizeof differences, &base, &candidate);
    if (differing && !o->force) {
        fprintf(stderr, "attnbench compare: not comparable (--force compares nevertheless): %s\n",
                differences);
        status = STATUS_UNDECIDED;
        goto done;
    }
    snprintf(caution, sizeof caution, "not comparable: %s", differences);
    report =
        (gate_report){.command = "compare",
                      .settings = json_pack("{so so sf so}", "base", utf8_json(base_path), "candidate",
                                            utf8_json(candidate_path), "min_effect_percent",
                                            100 * expm1(rule.min_effect), "forced", json_boolean(differing)),
                      .notes = notes(&base, &candidate, base_path, candidate_path, differences)};
    if (!compare_rows(&report.rows, &base, &candidate, &rule, single_scale_of_typical(noise),
                      differing ? caution : NULL, error) &&
        !gate_report_write(&report, &o->output, error))
        status = gate_report_status(&report);
done:
    gate_report_free(&report);
    results_free(&base);
    results_free(&candidate);
    return status;
}

int cmd_compare(int argc, char **argv) {
    static char two_percent[] = "2%", md[] = "md";
    compare_options o = {.min_effect = two_percent, .output = {.format = md}};
    struct poptOption options[] = {{"min-effect", '\0', POPT_ARG_STRING, &o.min_effect, 0,
                                    "the smallest that counts (default: 2%)", "PERCENT"},
                                   {"noise", '\0', POPT_ARG_STRING, &o.noise, 0,
                                    "by how much two processes of one program typically differ", "PERCENT"},
                                   {"force", '\0', POPT_ARG_NONE, &o.force, 0,
                                    "compare what is not comparable, and say so in every line", NULL},
                                   GATE_OUTPUT_OPTIONS(o.output),
                                   POPT_TABLEEND};
    const char *const *files;
    int status = STATUS_OK;
    attn_error error = {0};
    if (!command_options(argc, argv, "BASE.json CANDIDATE.json", description, options, &files, &status))
        return status;
    if (!files[0] || !files[1] || files[2])
        attn_fail(&error, "expected two results files, BASE.json and CANDIDATE.json");
    else
        status = compare(&o, files[0], files[1], &error);
    return error.code || status < 0 ? command_fail(argv[0], &error) : status;
}
