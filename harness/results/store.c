#include "harness/results/store.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "harness/results/journal_line.h"
#include "harness/results/lock.h"
#include "harness/results/sync_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { JOURNAL_VERSION = 1 };
static const size_t JOURNAL_LIMIT = (size_t)1 << 30;

struct results_store {
    char *path, *journal;
    int fd;
    off_t size;       /* of the complete lines */
    json_t *finished; /* name of a piece -> its line of the journal */
    json_t *running;  /* pieces started and not finished: those that were in flight */
    size_t interrupted;
    size_t damaged;    /* lines that are not believed */
    attn_error damage; /* the first of them */
    bool is_other;     /* the journal is one of another identity */
    char date[32];
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
    if (!S_ISREG(status.st_mode))
        return attn_fail(error, "%s: exists and is not a regular file", path);
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

/* A line is there whole or not at all: what a full disk cut short is taken back. */
static int append_line(results_store *s, json_t *line, attn_error *error) {
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (!text)
        return attn_fail(error, "%s: out of memory, or text that is not UTF-8", s->journal);
    size_t length = strlen(text), done = 0;
    text[length++] = '\n';
    int why = 0;
    while (done < length && !why) {
        ssize_t n = pwrite(s->fd, text + done, length - done, s->size + (off_t)done);
        if (n < 0 && errno != EINTR)
            why = errno;
        else if (n > 0)
            done += (size_t)n;
    }
    if (!why && fsync(s->fd))
        why = errno;
    json_malloc_t allocate;
    json_free_t release;
    json_get_alloc_funcs(&allocate, &release);
    release(text);
    if (!why) {
        s->size += (off_t)length;
        return 0;
    }
    if (ftruncate(s->fd, s->size))
        errno = why;
    return attn_fail(error, "%s: cannot be written: %s (what is finished is kept; the same command resumes)",
                     s->journal, strerror(why));
}

static void now(char date[32]) {
    struct tm parts;
    time_t seconds = time(NULL);
    if (!localtime_r(&seconds, &parts))
        memset(&parts, 0, sizeof parts);
    strftime(date, 32, "%Y-%m-%dT%H:%M:%S", &parts);
    long offset = parts.tm_gmtoff / 60;
    size_t used = strlen(date);
    snprintf(date + used, 32 - used, "%c%02ld:%02ld", offset < 0 ? '-' : '+', labs(offset) / 60,
             labs(offset) % 60);
}

static int begin_journal(results_store *s, const store_identity *identity, attn_error *error) {
    now(s->date);
    json_t *line = json_pack("{si ss}", "journal", JOURNAL_VERSION, "date", s->date);
    for (size_t i = 0; line && i < FIELDS; i++)
        json_object_set_new(line, fields[i].key, json_string(field_of(identity, i)));
    if (append_line(s, line, error))
        return -1;
    return sync_folder(s->journal)
               ? attn_fail(error, "%s: folder cannot be synced: %s", s->journal, strerror(errno))
               : 0;
}

static int wrong_line(const results_store *s, size_t number, const char *what, attn_error *error) {
    return attn_fail(error, "%s:%zu: %s: not a journal of attnbench; drop it with --restart", s->journal,
                     number, what);
}

/* *doubted: the case has to be run again, because its line was changed or damaged. */
static int doubt_line(bool *doubted, results_store *s, const json_t *line, size_t number, attn_error *error) {
    char where[4200];
    attn_error why = {0};
    snprintf(where, sizeof where, "%s:%zu", s->journal, number);
    *doubted = journal_line_check(line, where, &why);
    if (why.code == ATTN_ERROR_MEMORY)
        return attn_no_memory(error, s->journal);
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

static int take_line(results_store *s, json_t *line, size_t number, const store_identity *identity,
                     attn_error *error) {
    const char *started = json_string_value(json_object_get(line, "started"));
    const char *finished = json_string_value(json_object_get(line, "finished"));
    char piece[PIECE_NAME];
    if (number == 1) {
        const char *date = json_string_value(json_object_get(line, "date"));
        if (json_integer_value(json_object_get(line, "journal")) != JOURNAL_VERSION || !date)
            return wrong_line(s, number, "unknown first line", error);
        snprintf(s->date, sizeof s->date, "%s", date);
        s->is_other = check_identity(s->journal, line, identity, error) != 0;
        return s->is_other ? -1 : 0;
    }
    if (started) {
        piece_name(piece, started, round_of(line));
        if (json_object_get(s->running, piece))
            s->interrupted++;
        return json_object_set_new(s->running, piece, json_true()) ? attn_no_memory(error, s->journal) : 0;
    }
    if (!finished || !json_is_array(json_object_get(line, "entries")))
        return wrong_line(s, number, "unknown line", error);
    json_object_del(s->running, piece_name(piece, finished, round_of(line)));
    bool doubted;
    if (doubt_line(&doubted, s, line, number, error))
        return -1;
    if (doubted)
        return 0;
    return json_object_set(s->finished, piece, line) ? attn_no_memory(error, s->journal) : 0;
}

/* Takes the complete lines; what follows the last of them was cut short by a kill. */
static int take_lines(results_store *s, char *text, const store_identity *identity, attn_error *error) {
    size_t number = 0;
    for (char *end; (end = strchr(text, '\n')); text = end + 1) {
        json_error_t why;
        json_t *line = json_loadb(text, (size_t)(end - text), 0, &why);
        int bad =
            line ? take_line(s, line, ++number, identity, error) : wrong_line(s, ++number, "not JSON", error);
        json_decref(line);
        if (bad)
            return -1;
        s->size += end + 1 - text;
    }
    s->interrupted += json_object_size(s->running);
    if (!number && strncmp(text, "{\"journal\"", strlen(text) < 10 ? strlen(text) : 10))
        return wrong_line(s, 1, "unknown first line", error);
    return 0;
}

/* Takes what the journal has, unless the policy drops it. */
static int read_journal(results_store *s, const store_identity *identity, store_policy policy,
                        attn_error *error) {
    if (policy == STORE_RESTART)
        return 0;
    char *text = attn_read_file(s->journal, JOURNAL_LIMIT, NULL, error);
    if (!text)
        return -1;
    attn_error why = {0};
    int result = take_lines(s, text, identity, &why);
    attn_free(text);
    if (result && s->is_other && policy == STORE_REPLACE)
        return 0;
    return result ? attn_fail(error, "%s", why.message) : 0;
}

static int open_journal(results_store *s, store_state *state, const store_identity *identity,
                        store_policy policy, attn_error *error) {
    struct stat status;
    if (!stat(s->journal, &status) && !S_ISREG(status.st_mode))
        return attn_fail(error, "%s: exists and is not a regular file", s->journal);
    s->fd = open(s->journal, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->fd < 0)
        return attn_fail(error, "%s: cannot be written: %s", s->journal, strerror(errno));
    if (lock_journal(s->fd, s->journal, error))
        return -1;
    if (read_journal(s, identity, policy, error))
        return -1;
    if (ftruncate(s->fd, s->size))
        return attn_fail(error, "%s: cannot be written: %s", s->journal, strerror(errno));
    *state = s->size ? STORE_RESUMED : STORE_NEW;
    if (s->size || !begin_journal(s, identity, error))
        return 0;
    unlink(s->journal);
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
    s->fd = -1;
    s->path = attn_strdup(path, error);
    s->journal = attn_format(error, "%s.journal", path);
    s->finished = json_object();
    s->running = json_object();
    if (!s->path || !s->journal)
        goto fail;
    if (there) {
        /* A kill between writing the results and removing the journal leaves both. */
        if (drop(s->journal, error))
            goto fail;
        store_close(s);
        *state = STORE_COMPLETE;
        return 0;
    }
    if (!s->finished || !s->running) {
        attn_no_memory(error, NULL);
        goto fail;
    }
    if (open_journal(s, state, identity, policy, error))
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
    if (s->fd >= 0)
        close(s->fd);
    json_decref(s->finished);
    json_decref(s->running);
    attn_free(s->path);
    attn_free(s->journal);
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
    return append_line(s, json_pack("{ss sI}", "started", row, "round", (json_int_t)round + 1), error);
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
    return append_line(s, line, error);
}

int store_commit(results_store *s, const json_t *results, attn_error *error) {
    attn_output output;
    if (attn_output_open(&output, s->path, error))
        return -1;
    int bad = json_dumpf(results, output.stream, JSON_INDENT(1)) || fputc('\n', output.stream) == EOF;
    if (bad && !ferror(output.stream)) {
        attn_output_discard(&output);
        return attn_fail(error, "%s: results that are not JSON", s->path);
    }
    if (attn_output_commit(&output, error))
        return -1;
    if (sync_folder(s->path) || unlink(s->journal))
        return attn_fail(error, "%s: cannot be removed: %s", s->journal, strerror(errno));
    return 0;
}
