#include "harness/results/store.h"

#include "attn/alloc.h"
#include "base/text/json_write.h"
#include "harness/results/journal_file.h"
#include "harness/results/journal_line.h"
#include "harness/results/sync_folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOURNAL_VERSION = 1 };

struct results_store {
    char *path;
    journal_file file;
    store_identity identity;
    json_t *finished; /* name of a piece -> its line of the journal */
    json_t *running;  /* pieces started and not finished: those that were in flight */
    size_t interrupted;
    size_t damaged;    /* lines that are not believed */
    attn_error damage; /* the first of them */
    bool is_other;     /* the journal is one of another identity */
    char date[JOURNAL_DATE];
};

/* ---- Identities */

static const struct {
    const char *key, *what;
    size_t offset;
} fields[] = {
    {"plan", "another plan", offsetof(store_identity, plan)},
    {"plan_sha", "other rows or settings", offsetof(store_identity, plan_hash)},
    {"commit", "another commit", offsetof(store_identity, commit)},
    {"fingerprint", "another machine", offsetof(store_identity, fingerprint)},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static const char *field_of(const store_identity *identity, size_t i) {
    const char *text;
    memcpy(&text, (const char *)identity + fields[i].offset, sizeof text);
    return text;
}

static int check_identity(const char *path, const json_t *object, const store_identity *identity,
                          attn_error *error) {
    for (size_t i = 0; i < FIELDS; i++) {
        const char *found = json_string_value(json_object_get(object, fields[i].key));
        if (!found || strcmp(found, field_of(identity, i)))
            return attn_fail(error,
                             "%s: holds results of %s (%.60s; this sweep's is %s): choose another "
                             "--out, or drop them with --replace",
                             path, fields[i].what, found ? found : "unknown", field_of(identity, i));
    }
    return 0;
}

/* ---- A file that is there already */

static int read_own(const char *path, json_t **root, const json_t **own, attn_error *error) {
    json_error_t why;
    *root = json_load_file(path, 0, &why);
    *own = json_object_get(json_object_get(*root, "context"), "attnbench");
    if (*own)
        return 0;
    json_decref(*root);
    *root = NULL;
    return attn_fail(
        error, "%s: is not a results file of attnbench: choose another --out, or drop it with --restart",
        path);
}

int store_read_counts(const char *path, size_t *cases, size_t *failed, attn_error *error) {
    json_t *root;
    const json_t *own;
    if (read_own(path, &root, &own, error))
        return -1;
    *cases = (size_t)json_integer_value(json_object_get(own, "cases"));
    *failed = (size_t)json_integer_value(json_object_get(own, "failed"));
    json_decref(root);
    return 0;
}

static int drop(const char *path, attn_error *error) {
    return unlink(path) && errno != ENOENT
               ? attn_fail(error, "%s: cannot be removed: %s", path, strerror(errno))
               : 0;
}

/* 1: complete and ours, 0: not there (any more), -1: in the way. */
static int look_at_results(const char *path, const store_identity *identity, store_policy policy,
                           attn_error *error) {
    struct stat status;
    json_t *root;
    const json_t *own;
    if (stat(path, &status)) {
        if (errno == ENOENT)
            return 0;
        return attn_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    }
    if (journal_file_regular(path, error))
        return -1;
    if (policy == STORE_RESTART)
        return drop(path, error);
    if (read_own(path, &root, &own, error))
        return -1;
    attn_error differs = {0};
    int other = check_identity(path, own, identity, &differs);
    json_decref(root);
    if (!other)
        return 1;
    return policy == STORE_REPLACE ? drop(path, error) : attn_fail(error, "%s", differs.message);
}

/* ---- The journal */

static int begin_journal(results_store *s, const store_identity *identity, attn_error *error) {
    journal_file_now(s->date);
    json_t *line = json_pack("{si ss}", "journal", JOURNAL_VERSION, "date", s->date);
    for (size_t i = 0; line && i < FIELDS; i++)
        json_object_set_new(line, fields[i].key, json_string(field_of(identity, i)));
    if (journal_file_append(&s->file, line, error))
        return -1;
    return journal_file_begun(&s->file, error);
}

static int wrong_line(const results_store *s, size_t number, const char *what, attn_error *error) {
    return attn_fail(error, "%s:%zu: %s: not a journal of attnbench; drop it with --restart", s->file.path,
                     number, what);
}

/* *doubted: the case has to be run again, because its line was changed or damaged. */
static int doubt_line(bool *doubted, results_store *s, const json_t *line, size_t number, attn_error *error) {
    char where[4200];
    attn_error why = {0};
    snprintf(where, sizeof where, "%s:%zu", s->file.path, number);
    *doubted = journal_line_check(line, where, &why);
    if (why.code == ATTN_ERROR_MEMORY)
        return attn_no_memory(error, s->file.path);
    if (*doubted && !s->damaged++)
        s->damage = why;
    return 0;
}

/* A piece is a case in one round. */
enum { PIECE_NAME = 300 };
static const char *piece_name(char name[PIECE_NAME], const char *row, size_t round) {
    snprintf(name, PIECE_NAME, "%zu %.270s", round, row);
    return name;
}

/* Of a line; the first round where it says nothing. */
static size_t round_of(const json_t *line) {
    json_int_t round = json_integer_value(json_object_get(line, "round"));
    return round > 0 ? (size_t)round - 1 : 0;
}

/* A journal_take. */
static int take_line(void *context, json_t *line, size_t number, attn_error *error) {
    results_store *s = context;
    if (!line)
        return wrong_line(s, number, "not JSON", error);
    const char *started = json_string_value(json_object_get(line, "started"));
    const char *finished = json_string_value(json_object_get(line, "finished"));
    char piece[PIECE_NAME];
    if (number == 1) {
        const char *date = json_string_value(json_object_get(line, "date"));
        if (json_integer_value(json_object_get(line, "journal")) != JOURNAL_VERSION || !date)
            return wrong_line(s, number, "unknown first line", error);
        snprintf(s->date, sizeof s->date, "%s", date);
        s->is_other = check_identity(s->file.path, line, &s->identity, error) != 0;
        return s->is_other ? -1 : 0;
    }
    if (started) {
        piece_name(piece, started, round_of(line));
        if (json_object_get(s->running, piece))
            s->interrupted++;
        return json_object_set_new(s->running, piece, json_true()) ? attn_no_memory(error, s->file.path) : 0;
    }
    if (!finished || !json_is_array(json_object_get(line, "entries")))
        return wrong_line(s, number, "unknown line", error);
    json_object_del(s->running, piece_name(piece, finished, round_of(line)));
    bool doubted;
    if (doubt_line(&doubted, s, line, number, error))
        return -1;
    if (doubted)
        return 0;
    return json_object_set(s->finished, piece, line) ? attn_no_memory(error, s->file.path) : 0;
}

/* Takes what the journal has, unless the policy drops it. */
static int read_journal(results_store *s, store_policy policy, attn_error *error) {
    if (policy == STORE_RESTART)
        return 0;
    attn_error why = {0};
    int result = journal_file_read(&s->file, take_line, s, &why);
    if (result && s->is_other && policy == STORE_REPLACE)
        return 0;
    s->interrupted += json_object_size(s->running);
    return result ? attn_fail_as(error, why.code, "%s", why.message) : 0;
}

static int open_journal(results_store *s, store_state *state, store_policy policy, attn_error *error) {
    if (journal_file_open(&s->file, error) || read_journal(s, policy, error) ||
        journal_file_cut(&s->file, error))
        return -1;
    *state = s->file.size ? STORE_RESUMED : STORE_NEW;
    if (s->file.size || !begin_journal(s, &s->identity, error))
        return 0;
    unlink(s->file.path);
    return -1;
}

int store_open(results_store **out, store_state *state, const char *path, const store_identity *identity,
               store_policy policy, attn_error *error) {
    *out = NULL;
    *state = STORE_NEW;
    int there = look_at_results(path, identity, policy, error);
    if (there < 0)
        return -1;
    results_store *s = attn_alloc(1, sizeof *s, "results store", error);
    if (!s)
        return -1;
    s->identity = *identity;
    s->path = attn_strdup(path, error);
    bool named = !journal_file_init(&s->file, path, error);
    s->finished = json_object();
    s->running = json_object();
    if (!s->path || !named)
        goto fail;
    if (there) {
        /* A kill between writing the results and removing the journal leaves both. */
        if (drop(s->file.path, error))
            goto fail;
        store_close(s);
        *state = STORE_COMPLETE;
        return 0;
    }
    if (!s->finished || !s->running) {
        attn_no_memory(error, NULL);
        goto fail;
    }
    if (open_journal(s, state, policy, error))
        goto fail;
    *out = s;
    return 0;
fail:
    store_close(s);
    return -1;
}

void store_close(results_store *s) {
    if (!s)
        return;
    journal_file_close(&s->file);
    json_decref(s->finished);
    json_decref(s->running);
    attn_free(s->path);
    attn_free(s);
}

const json_t *store_find(const results_store *s, const char *row, size_t round, bool *failed) {
    char piece[PIECE_NAME];
    const json_t *line = json_object_get(s->finished, piece_name(piece, row, round));
    *failed = json_is_true(json_object_get(line, "failed"));
    return json_object_get(line, "entries");
}

size_t store_interrupted(const results_store *s) {
    return s->interrupted;
}

size_t store_damaged(const results_store *s, const char **first) {
    *first = s->damage.message;
    return s->damaged;
}

const char *store_date(const results_store *s) {
    return s->date;
}

int store_started(results_store *s, const char *row, size_t round, attn_error *error) {
    return journal_file_append(&s->file, json_pack("{ss sI}", "started", row, "round", (json_int_t)round + 1),
                               error);
}

int store_finished(results_store *s, const char *row, size_t round, json_t *entries, bool failed,
                   attn_error *error) {
    char piece[PIECE_NAME];
    json_t *line = json_pack("{ss sI sb sO}", "finished", row, "round", (json_int_t)round + 1, "failed",
                             failed, "entries", entries);
    if (line && json_object_set(s->finished, piece_name(piece, row, round), line)) {
        json_decref(line);
        line = NULL;
    }
    return journal_file_append(&s->file, line, error);
}

int store_commit(results_store *s, const json_t *results, attn_error *error) {
    if (json_write_file(s->path, results, JSON_INDENT(1), error))
        return -1;
    if (sync_folder(s->path) || unlink(s->file.path))
        return attn_fail(error, "%s: cannot be removed: %s", s->file.path, strerror(errno));
    return 0;
}
