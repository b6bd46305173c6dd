#include "base/process/child.h"
#include "base/process/scratch.h"
#include "harness/machine/survey.h"

#include "attn/alloc.h"

/* A folder for the results when nobody keeps them; *out is the file in it. */
static int make_place(char **folder, char **out, const survey_request *request, attn_error *error) {
    *folder = request->out ? NULL : scratch_make(error);
    *out = request->out ? attn_strdup(request->out, error)
           : *folder    ? attn_format(error, "%s/machine.json", *folder)
                        : NULL;
    return *out ? 0 : -1;
}

static json_t *options_of(const survey_request *request) {
    json_t *words = json_pack("[ss]", "--plan", "machine");
    if (request->filter) {
        json_array_append_new(words, json_string("--filter"));
        json_array_append_new(words, json_string(request->filter));
    }
    return words;
}

int survey_run(results *r, sweep_outcome *outcome, const survey_request *request, attn_error *error) {
    plan p = {0};
    char *folder = NULL, *out = NULL;
    json_t *words = options_of(request);
    *r = (results){0};
    int result = plan_read(&p, "machine", error);
    if (!result && request->filter)
        result = plan_filter(&p, request->filter, error);
    if (!result)
        result = make_place(&folder, &out, request, error);
    if (!result) {
        sweep_request sweep = {.command = "attnbench machine",
                               .out = out,
                               .counters = "off",
                               .cpu = request->cpu,
                               .policy = request->restart ? STORE_RESTART : STORE_REFUSE,
                               .options = words};
        result = sweep_file_run(outcome, &p, &sweep, error);
    }
    if (!result)
        result = results_read(r, out, error);
    json_decref(words);
    plan_free(&p);
    attn_free(out);
    scratch_remove(folder);
    attn_free(folder);
    return result;
}
