/* attnbench verify: what must always hold, checked here and now. */
#include "harness/command.h"
#include "harness/identities.h"
#include "harness/table.h"

static const table_column columns[] = {{"identity", "What must hold", NULL},
                                       {"type", "Type", NULL},
                                       {"comparisons", "Comparisons", "%.0f"},
                                       {"worst", "Worst difference", "%.2g"},
                                       {"limit", "Limit", "%.2g"},
                                       {"verdict", "Verdict", NULL},
                                       {"where", "Where", NULL},
                                       {NULL, NULL, NULL}};

typedef struct outcome {
    table table;
    int failed;
} outcome;

static void add(void *context, const identity_result *r) {
    outcome *o = context;
    o->failed |= !r->ok;
    table_add(&o->table,
              json_pack("{s:s, s:s, s:I, s:o, s:f, s:s, s:s*}", "identity", r->identity, "type", r->variant,
                        "comparisons", (json_int_t)r->comparisons, "worst",
                        r->worst == r->worst ? json_real(r->worst) : json_string("NaN"), "limit", r->limit,
                        "verdict", r->ok ? "holds" : "FAILS", "where", r->ok ? NULL : r->where));
}

int cmd_verify(int argc, char **argv) {
    long long seed = 20260101, draws = 25;
    char *format = "md";
    struct poptOption options[] = {
        {"seed", '\0', POPT_ARG_LONGLONG, &seed, 0, "of the random geometries (default 20260101)", "N"},
        {"draws", '\0', POPT_ARG_LONGLONG, &draws, 0, "random geometries for each line (default 25)", "N"},
        {"format", 'f', POPT_ARG_STRING, &format, 0, "md, csv or json", "F"},
        POPT_TABLEEND};
    int status;
    if (!command_options(
            argc, argv, "",
            "Checks every implementation against its scalar reference, on every instruction set of this CPU, "
            "and\n"
            "the identities that tie the attention types together. Exit status 1 when one fails.",
            options, NULL, &status))
        return status;
    attn_error error = {0};
    outcome o = {0};
    int chosen = command_choice("--format", format, table_format_names, &error);
    if (chosen < 0 || command_range("--draws", draws, 1, 1000000, &error))
        return command_fail("verify", &error);
    table_init(&o.table, "What must always hold", columns);
    int result = identities_run((uint64_t)seed, (size_t)draws, add, &o, &error);
    if (!result)
        result = table_write(&o.table, (table_format)chosen, stdout, &error);
    table_free(&o.table);
    return result ? command_fail("verify", &error) : o.failed ? STATUS_FAILED : STATUS_OK;
}
