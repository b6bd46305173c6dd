/* attnbench merge: results of shards into one results file. */
#include "base/text/json_write.h"
#include "cli/frame/command.h"
#include "harness/shards/merge.h"

#include <stdio.h>

static const char description[] = "Puts the results of `sweep --shard 1/N` to `N/N` together, in any order. "
                                  "They have to be of one plan and "
                                  "build;\nthe machines may differ, and every case keeps the one that it ran "
                                  "on. Ends with status 1 and writes\n"
                                  "nothing when shards are missing, unless --partial is given.";

static void name_missing(const merge_outcome *m) {
    size_t i, k;
    json_t *shard, *unit;
    json_array_foreach(m->missing, i, shard) {
        const json_t *cases = json_object_get(shard, "cases");
        fprintf(stderr, "attnbench merge: shard %lld/%zu is missing, with %zu cases%s\n",
                (long long)json_integer_value(json_object_get(shard, "shard")), m->shards,
                json_array_size(cases), json_array_size(cases) ? ":" : "");
        json_array_foreach((json_t *)cases, k, unit) {
            fprintf(stderr, "  %s\n", json_string_value(unit));
        }
    }
}

static int merge(const char *const *files, const char *out, int partial, attn_error *error) {
    merge_outcome m;
    int status = -1;
    for (size_t i = 0; files[i]; i++)
        if (option_distinct("--out", out, "a shard", files[i], error))
            return -1;
    if (merge_shards(&m, files, error))
        goto done;
    name_missing(&m);
    if (json_array_size(m.missing) && !partial) {
        status = STATUS_FAILED;
        goto done;
    }
    if (json_write_file(out, m.results, JSON_INDENT(1), error))
        goto done;
    printf("%s: %zu cases of %zu of %zu shards, %zu failed; %zu machine%s of %zu kind%s: %s\n", out, m.cases,
           m.given, m.shards, m.failed, m.machines, m.machines == 1 ? "" : "s", m.kinds,
           m.kinds == 1 ? "" : "s", m.cpus);
    status = STATUS_OK;
done:
    merge_free(&m);
    return status;
}

int cmd_merge(int argc, char **argv) {
    char *out = NULL;
    int partial = 0, status = -1;
    struct poptOption options[] = {
        {"out", 'o', POPT_ARG_STRING, &out, 0, "needed: the results file", "R.json"},
        {"partial", '\0', POPT_ARG_NONE, &partial, 0, "write what is there when shards are missing", NULL},
        POPT_TABLEEND};
    const char *const *files;
    attn_error error = {0};
    if (!command_options(argc, argv, "SHARD.json...", description, options, &files, &status))
        return status;
    if (!files[0])
        attn_fail(&error, "results files of shards are needed: attnbench merge SHARD.json... --out R.json");
    else if (!option_needs("--out", out, &error))
        status = merge(files, out, partial, &error);
    return error.code ? command_fail(argv[0], &error) : status;
}
