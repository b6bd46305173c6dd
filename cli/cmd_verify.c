/* attnbench verify: what must always hold, checked here and now. */
#include "base/text/table_write.h"
#include "cli/frame/command.h"
#include "harness/verify/identities.h"

static const table_column columns[] = {{"identity", "What must hold", NULL},
                                       {"model", "Of", NULL},
                                       {"type", "Type", NULL},
                                       {"comparisons", "Comparisons", "%.0f"},
                                       {"worst", "Worst difference", "%.2g"},
                                       {"limit", "Limit", "%.2g"},
                                       {"verdict", "Verdict", NULL},
                                       {"where", "Where", NULL},
                                       {NULL, NULL, NULL}};

typedef struct outcome {
    text_table table;
    int failed;
    long long seed, draws;
} outcome;

static void add(void *context, const identity_result *r) {
    outcome *o = context;
    o->failed |= !r->ok;
    table_add(&o->table,
              json_pack("{s:s, s:s, s:s, s:I, s:o, s:f, s:s, s:s*, s:I, s:I}", "identity", r->identity,
                        "model", r->model, "type", r->variant, "comparisons", (json_int_t)r->comparisons,
                        "worst", r->worst == r->worst ? json_real(r->worst) : json_string("NaN"), "limit",
                        r->limit, "verdict", r->ok ? "holds" : "FAILS", "where", r->ok ? NULL : r->where,
                        "seed", (json_int_t)o->seed, "draws", (json_int_t)o->draws));
}

int cmd_verify(int argc, char **argv) {
    outcome o = {.seed = 20260101, .draws = 25};
    char *format = "md", title[128];
    struct poptOption options[] = {
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of the random draws (default 20260101)", "N"},
        {"draws", '\0', POPT_ARG_LONGLONG, &o.draws, 0, "random draws for each line (default 25)", "N"},
        {"format", 'f', POPT_ARG_STRING, &format, 0, "md, csv, json or tex", "F"},
        POPT_TABLEEND};
    int status;
    if (!command_options(
            argc, argv, "",
            "Checks every implementation against its scalar reference, on every instruction set of this\n"
            "CPU, and the identities that tie the attention types together, on single layers (differences\n"
            "relative to 1 + |expected|) and on whole encoders (absolute): padding is invisible, a stream\n"
            "equals the whole. Exit status 1 when one fails.",
            options, NULL, &status))
        return status;
    attn_error error = {0};
    int chosen = option_choice("--format", format, table_format_names, &error);
    if (chosen < 0 || option_range("--seed", o.seed, 0, 1LL << 62, &error) ||
        option_range("--draws", o.draws, 1, 1000000, &error))
        return command_fail("verify", &error);
    snprintf(title, sizeof title, "What must always hold (seed %lld, %lld random draws a line)", o.seed,
             o.draws);
    table_init(&o.table, title, columns);
    int result = identities_run((uint64_t)o.seed, (size_t)o.draws, add, &o, &error);
    if (!result)
        result = encoder_identities_run((uint64_t)o.seed, (size_t)o.draws, add, &o, &error);
    if (!result)
        result = table_write(&o.table, (table_format)chosen, stdout, &error);
    table_free(&o.table);
    return result ? command_fail("verify", &error) : o.failed ? STATUS_FAILED : STATUS_OK;
}
