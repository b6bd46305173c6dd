#include "harness/results/journal_file.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/json.h"
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

static const size_t JOURNAL_LIMIT = (size_t)1 << 30;

int journal_file_regular(const char *path, attn_error *error) {
    struct stat status;
    if (stat(path, &status) || S_ISREG(status.st_mode))
        return 0;
    return attn_fail(error, "%s: exists and is not a regular file", path);
}

int journal_file_init(journal_file *j, const char *results, attn_error *error) {
    *j = (journal_file){.fd = -1};
    if (!*results)
        return attn_fail(error, "the name of the results file is empty");
    j->path = attn_format(error, "%s.journal", results);
    return j->path ? 0 : -1;
}

void journal_file_close(journal_file *j) {
    if (j->fd >= 0)
        close(j->fd);
    attn_free(j->path);
    *j = (journal_file){.fd = -1};
}

int journal_file_open(journal_file *j, attn_error *error) {
    if (journal_file_regular(j->path, error))
        return -1;
    j->fd = open(j->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (j->fd < 0)
        return attn_fail(error, "%s: cannot be written: %s", j->path, strerror(errno));
    return lock_journal(j->fd, j->path, error);
}

static int take_lines(journal_file *j, char *text, journal_take *take, void *context, attn_error *error) {
    size_t number = 0;
    for (char *end; (end = strchr(text, '\n')); text = end + 1) {
        json_error_t why;
        json_t *line = json_loadb(text, (size_t)(end - text), 0, &why);
        int bad = take(context, line, ++number, error);
        json_decref(line);
        if (bad)
            return -1;
        j->size += end + 1 - text;
    }
    /* What a kill cut short is a piece of what we write; anything else is another's file. */
    bool other = !number && strncmp(text, "{\"journal\"", strlen(text) < 10 ? strlen(text) : 10);
    return other ? take(context, NULL, 1, error) : 0;
}

int journal_file_read(journal_file *j, journal_take *take, void *context, attn_error *error) {
    char *text = attn_read_file(j->path, JOURNAL_LIMIT, NULL, error);
    if (!text)
        return -1;
    int result = take_lines(j, text, take, context, error);
    attn_free(text);
    return result;
}

int journal_file_cut(journal_file *j, attn_error *error) {
    return ftruncate(j->fd, j->size) ? attn_fail(error, "%s: cannot be written: %s", j->path, strerror(errno))
                                     : 0;
}

/* What a full disk cut short is taken back. */
int journal_file_append(journal_file *j, json_t *line, attn_error *error) {
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (!text)
        return json_not_made(error, j->path, "text");
    size_t length = strlen(text), done = 0;
    text[length++] = '\n';
    int why = 0;
    while (done < length && !why) {
        ssize_t n = pwrite(j->fd, text + done, length - done, j->size + (off_t)done);
        if (n < 0 && errno != EINTR)
            why = errno;
        else if (n > 0)
            done += (size_t)n;
    }
    if (!why && fsync(j->fd))
        why = errno;
    json_free_text(text);
    if (!why) {
        j->size += (off_t)length;
        return 0;
    }
    if (ftruncate(j->fd, j->size))
        errno = why;
    return attn_fail(error, "%s: cannot be written: %s (what is finished is kept; the same command resumes)",
                     j->path, strerror(why));
}

void journal_file_now(char date[JOURNAL_DATE]) {
    struct tm parts;
    time_t seconds = time(NULL);
    if (!localtime_r(&seconds, &parts))
        memset(&parts, 0, sizeof parts);
    strftime(date, JOURNAL_DATE, "%Y-%m-%dT%H:%M:%S", &parts);
    long offset = parts.tm_gmtoff / 60;
    size_t used = strlen(date);
    snprintf(date + used, JOURNAL_DATE - used, "%c%02ld:%02ld", offset < 0 ? '-' : '+', labs(offset) / 60,
             labs(offset) % 60);
}

int journal_file_begun(journal_file *j, attn_error *error) {
    return sync_folder(j->path)
               ? attn_fail(error, "%s: folder cannot be synced: %s", j->path, strerror(errno))
               : 0;
}
