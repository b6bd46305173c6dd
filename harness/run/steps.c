#include "harness/run/steps.h"

#include "attn/alloc.h"
#include "base/text/hash.h"
#include "base/text/json.h"
#include "build_info.h"
#include "harness/machine/blas.h"
#include "harness/machine/machine.h"
#include "harness/results/journal_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char KIND[] = "steps";

struct step_journal {
    journal_file file;
    json_t *steps; /* key -> what it left */
    char work[HASH_NAME], fingerprint[MACHINE_FINGERPRINT];
};

/* Of a step and its key. */
static int name_step(char name[HASH_NAME], const char *key, const json_t *step) {
    char *text = json_dumps(step, JSON_COMPACT);
    if (!text)
        return -1;
    hash_name(name, hash_text(hash_text(HASH_START, key), text));
    json_free_text(text);
    return 0;
}

static int take_first(const step_journal *j, const json_t *line, attn_error *error) {
    const struct {
        const char *key, *own, *what;
    } fields[] = {{"journal", KIND, "a sweep or of something else"},
                  {"commit", BUILD_COMMIT, "another commit"},
                  {"fingerprint", j->fingerprint, "another machine"},
                  {"work", j->work, "another command line, or of files that have changed since"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!json_text_is(line, fields[i].key, fields[i].own))
            return attn_fail(error, "%s: is of %s: remove it, or choose another --out", j->file.path,
                             fields[i].what);
    return 0;
}

/* A journal_take. */
static int take_line(void *context, json_t *line, size_t number, attn_error *error) {
    step_journal *j = context;
    char name[HASH_NAME];
    if (number == 1)
        return take_first(j, line, error);
    const char *key = json_string_value(json_object_get(line, "step"));
    json_t *left = json_object_get(line, "left");
    if (!key || !left || name_step(name, key, left) || !json_text_is(line, "hash", name))
        return 0; /* changed by hand, or damaged: it is done again */
    return json_object_set(j->steps, key, left) ? attn_no_memory(error, j->file.path) : 0;
}

static int begin(step_journal *j, attn_error *error) {
    char date[JOURNAL_DATE];
    journal_file_now(date);
    json_t *line = json_pack("{ss ss ss ss ss}", "journal", KIND, "date", date, "commit", BUILD_COMMIT,
                             "fingerprint", j->fingerprint, "work", j->work);
    if (!journal_file_append(&j->file, line, error) && !journal_file_begun(&j->file, error))
        return 0;
    unlink(j->file.path);
    return -1;
}

static int open_file(step_journal *j, attn_error *error) {
    if (journal_file_open(&j->file, error) || journal_file_read(&j->file, take_line, j, error) ||
        journal_file_cut(&j->file, error))
        return -1;
    return j->file.size ? 0 : begin(j, error);
}

int steps_open(step_journal **j, const char *out, uint64_t work, attn_error *error) {
    machine here;
    blas_state blas;
    *j = NULL;
    step_journal *opened = attn_alloc(1, sizeof *opened, "journal", error);
    if (!opened)
        return -1;
    machine_read(&here, NULL);
    blas_read(&blas);
    machine_fingerprint(opened->fingerprint, &here, blas.library, blas.core);
    hash_name(opened->work, work);
    opened->steps = json_object();
    if (journal_file_init(&opened->file, out, error) ||
        (!opened->steps && attn_no_memory(error, "journal")) || journal_file_regular(out, error) ||
        open_file(opened, error)) {
        steps_close(opened);
        return -1;
    }
    *j = opened;
    return 0;
}

void steps_close(step_journal *j) {
    if (!j)
        return;
    journal_file_close(&j->file);
    json_decref(j->steps);
    attn_free(j);
}

size_t steps_count(const step_journal *j) {
    return json_object_size(j->steps);
}

const json_t *steps_find(const step_journal *j, const char *key) {
    return j ? json_object_get(j->steps, key) : NULL;
}

int steps_add(step_journal *j, const char *key, json_t *step, attn_error *error) {
    char name[HASH_NAME];
    json_t *line = NULL;
    if (j && step && !name_step(name, key, step))
        line = json_pack("{ss ss sO}", "step", key, "hash", name, "left", step);
    json_decref(step);
    if (!j)
        return 0;
    off_t end = lseek(j->file.fd, 0, SEEK_END); /* a copy of this process may have added to it */
    if (end > 0)
        j->file.size = end;
    return journal_file_append(&j->file, line, error);
}

int steps_finish(step_journal *j, attn_error *error) {
    return unlink(j->file.path) ? attn_fail(error, "%s: cannot be removed: %s", j->file.path, strerror(errno))
                                : 0;
}
