#include "harness/study/study_command.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/process/child_fate.h"

#include <string.h>
#include <unistd.h>

static const double LONGEST = 30.0 * 86400;

void study_say(study_command *c, const char *word) {
    if (c->count + 1 < STUDY_WORDS)
        c->words[c->count++] = word;
    else
        c->failed = -1;
}

void study_say_made(study_command *c, const char *option, char *text) {
    if (!text || c->made_count == STUDY_WORDS) {
        attn_free(text);
        c->failed = -1;
        return;
    }
    c->made[c->made_count++] = text;
    study_say(c, option);
    study_say(c, text);
}

void study_command_free(study_command *c) {
    for (size_t i = 0; i < c->made_count; i++)
        attn_free(c->made[i]);
}

static int run(const study_command *c, child_result *result, attn_error *error) {
    const child_place place = {.cpu = -1, .limit = LONGEST};
    char fate[CHILD_FATE];
    if (c->failed)
        return attn_no_memory(error, c->words[1]);
    if (child_run(result, (char *const *)c->words, &place, error))
        return -1;
    if (!result->status)
        return 0;
    child_fate(fate, result);
    if (*result->message)
        attn_fail(error, "%s", result->message);
    else
        attn_fail(error, "attnbench %s %s", c->words[1], fate);
    attn_free(result->output);
    return -1;
}

int study_command_run(const study_command *c, attn_error *error) {
    child_result result;
    if (run(c, &result, error))
        return -1;
    attn_free(result.output);
    return 0;
}

int study_command_write(const study_command *c, const char *path, attn_error *error) {
    child_result result;
    if (!access(path, F_OK))
        return 0;
    if (run(c, &result, error))
        return -1;
    int failed = attn_write_file(path, result.output ? result.output : "", result.size, error);
    attn_free(result.output);
    return failed;
}
