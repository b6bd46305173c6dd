#include "attn/file.h"

#include "attn/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

FILE *attn_input_open(const char *path, size_t *size, attn_error *error) {
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (file < 0 || fstat(file, &status)) {
        attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
        goto failed;
    }
    if (!S_ISREG(status.st_mode)) {
        attn_fail(error, "%s: not a regular file", path);
        goto failed;
    }
    FILE *stream = fdopen(file, "rb");
    if (!stream) {
        attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
        goto failed;
    }
    *size = (size_t)status.st_size;
    return stream;
failed:
    if (file >= 0)
        close(file);
    return NULL;
}

char *attn_read_file(const char *path, size_t limit, size_t *size, attn_error *error) {
    size_t length;
    FILE *stream = attn_input_open(path, &length, error);
    if (!stream)
        return NULL;
    char *bytes = NULL;
    if (length > limit) {
        attn_fail(error, "%s: %zu bytes, expected at most %zu", path, length, limit);
        goto done;
    }
    bytes = attn_alloc(length + 1, 1, path, error);
    if (!bytes)
        goto done;
    if (fread(bytes, 1, length, stream) != length) {
        attn_fail(error, "%s: read error, or it shrank while being read", path);
        attn_free(bytes);
        bytes = NULL;
        goto done;
    }
    if (size)
        *size = length;
done:
    fclose(stream);
    return bytes;
}

enum { MOST_LINKS = 40 };

/* What a symbolic link leads to, there or not, so that the file behind it is replaced and the link stays;
 * attn_free it. A path that is no link comes back as it is. */
static char *follow_links(const char *path, attn_error *error) {
    char *at = attn_strdup(path, error);
    for (int links = 0; at; links++) {
        char link[PATH_MAX];
        ssize_t length = readlink(at, link, sizeof link);
        if (length < 0)
            return at; /* EINVAL: no link; anything else shows when the file is opened */
        if ((size_t)length == sizeof link || links == MOST_LINKS) {
            attn_fail(error, "%s: cannot be written: %s", path, strerror(ELOOP));
            break;
        }
        const char *slash = link[0] == '/' ? NULL : strrchr(at, '/');
        char *next = attn_format(error, "%.*s%.*s", slash ? (int)(slash - at + 1) : 0, at, (int)length, link);
        attn_free(at);
        at = next;
    }
    attn_free(at);
    return NULL;
}

/* A new file next to the target, or the target itself where that is a device or pipe. A process of another machine may
 * have the same number and write the same file. */
static int open_stream(attn_output *output, bool special, attn_error *error) {
    for (int n = 0; n < 1000; n++) {
        attn_free(output->temporary);
        output->temporary = special ? attn_strdup(output->target, error)
                                    : attn_format(error, "%s.tmp.%ld.%d", output->target, (long)getpid(), n);
        if (!output->temporary)
            return -1;
        output->stream = fopen(output->temporary, special ? "wb" : "wbx");
        if (output->stream)
            return 0;
        if (errno != EEXIST)
            break;
    }
    return attn_fail(error, "%s: cannot be written: %s", output->path, strerror(errno));
}

int attn_output_open(attn_output *output, const char *path, attn_error *error) {
    *output = (attn_output){0};
    struct stat status;
    bool exists = !stat(path, &status);
    if (!*path)
        return attn_fail(error, "the name of a file to write is empty");
    if (exists && S_ISDIR(status.st_mode))
        return attn_fail(error, "%s: is a folder, expected a file to write", path);
    bool special = exists && !S_ISREG(status.st_mode); /* a device or pipe is written, not replaced */
    output->path = attn_strdup(path, error);
    output->target = special ? attn_strdup(path, error) : follow_links(path, error);
    if (output->path && output->target && !open_stream(output, special, error))
        return 0;
    attn_output_discard(output);
    return -1;
}

int attn_output_try(const char *path, attn_error *error) {
    struct stat status;
    attn_output output;
    bool exists = !stat(path, &status);
    if (exists && !S_ISREG(status.st_mode) &&
        !S_ISDIR(status.st_mode)) /* a pipe's reader would see its end */
        return access(path, W_OK) ? attn_fail(error, "%s: cannot be written: %s", path, strerror(errno)) : 0;
    if (attn_output_open(&output, path, error))
        return -1;
    attn_output_discard(&output);
    return 0;
}

static void free_names(attn_output *output) {
    attn_free(output->path);
    attn_free(output->target);
    attn_free(output->temporary);
    *output = (attn_output){0};
}

static void remove_temporary(const attn_output *output) {
    if (strcmp(output->temporary, output->target))
        unlink(output->temporary);
}

/* errno of a write that failed some time ago: one more byte is refused for the same reason. */
static int reason_of_failure(FILE *stream) {
    clearerr(stream);
    errno = 0;
    return fputc('\0', stream) == EOF || fflush(stream) ? errno : 0;
}

int attn_output_commit(attn_output *output, attn_error *error) {
    FILE *stream = output->stream;
    output->stream = NULL;
    int bad = ferror(stream), why = bad ? reason_of_failure(stream) : 0;
    errno = 0;
    if (!bad &&
        (fflush(stream) || (fsync(fileno(stream)) && errno != EINVAL))) { /* EINVAL: a device or pipe */
        bad = 1;
        why = errno;
    }
    if (fclose(stream) && !bad) {
        bad = 1;
        why = errno;
    }
    if (!bad && strcmp(output->temporary, output->target) && rename(output->temporary, output->target)) {
        bad = 1;
        why = errno;
    }
    if (bad) {
        attn_fail(error, "%s: cannot be written: %s", output->path, why ? strerror(why) : "write error");
        remove_temporary(output);
    }
    free_names(output);
    return bad ? -1 : 0;
}

void attn_output_discard(attn_output *output) {
    if (output->stream) {
        fclose(output->stream);
        remove_temporary(output);
    }
    free_names(output);
}

void attn_output_remove(const char *path) {
    struct stat status;
    char *target = follow_links(path, NULL);
    if (target && !stat(target, &status) && S_ISREG(status.st_mode))
        unlink(target);
    attn_free(target);
}

int attn_write_file(const char *path, const void *bytes, size_t size, attn_error *error) {
    attn_output output;
    if (attn_output_open(&output, path, error))
        return -1;
    fwrite(bytes, 1, size, output.stream);
    return attn_output_commit(&output, error);
}

int attn_make_folder(const char *path, attn_error *error) {
    char *partial = attn_strdup(path, error);
    if (!partial)
        return -1;
    int result = 0;
    for (char *c = partial + 1; !result; c++) {
        if (*c && *c != '/')
            continue;
        char end = *c;
        *c = '\0';
        if (mkdir(partial, 0777) && errno != EEXIST)
            result = attn_fail(error, "%s: folder cannot be made: %s", path, strerror(errno));
        *c = end;
        if (!end)
            break;
    }
    struct stat status;
    if (!result && (stat(path, &status) || !S_ISDIR(status.st_mode)))
        result = attn_fail(error, "%s: exists and is not a folder", path);
    attn_free(partial);
    return result;
}

/* The path without its last part; "." and "/" are the ends of it. */
static void cut_last(char *path) {
    char *slash = strrchr(path, '/');
    if (!slash)
        strcpy(path, ".");
    else
        slash[slash == path] = '\0';
}

int attn_folder_try(const char *path, attn_error *error) {
    struct stat status;
    char *there = attn_strdup(*path ? path : ".", error);
    if (!there)
        return -1;
    int absent;
    while ((absent = stat(there, &status)) && errno == ENOENT)
        cut_last(there);
    int result = 0;
    if (!absent && !S_ISDIR(status.st_mode))
        result = attn_fail(error, "%s: exists and is not a folder", there);
    else if (absent || access(there, W_OK | X_OK))
        result = attn_fail(error, "%s: folder cannot be made: %s", path, strerror(errno));
    attn_free(there);
    return result;
}
