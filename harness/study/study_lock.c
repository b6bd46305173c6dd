#include "harness/study/study_lock.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "harness/results/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The processes of a study that was killed hold its lock a moment longer. */
enum { PATIENCE = 5 };

static int cannot(const char *path, attn_error *error) {
    return attn_fail(error, "%s: cannot be written: %s", path, strerror(errno));
}

static int write_count(int fd, const char *path, size_t count, attn_error *error) {
    char text[24];
    ssize_t length = snprintf(text, sizeof text, "%zu\n", count);
    if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)length, 0) != length || fsync(fd))
        return cannot(path, error);
    return 0;
}

static size_t read_count(int fd) {
    char text[24] = "";
    return pread(fd, text, sizeof text - 1, 0) > 0 ? strtoul(text, NULL, 10) : 0;
}

/* The file says into how many parts the shards that hold it split the study. Only one that is alone there writes it, so
 * that it stays as it is while a shard holds it. */
static int share(int fd, const char *path, const lock_wish *wish, const shard *own, attn_error *error) {
    bool alone;
    if (lock_try(fd, path, &alone, error) || (alone && write_count(fd, path, own->count, error)) ||
        lock_take(fd, path, wish, error))
        return -1;
    size_t count = read_count(fd);
    if (count == own->count)
        return 0;
    return attn_fail(error, "%s: shards of %zu are at work there, and this is one of %zu: one N at a time",
                     path, count, own->count);
}

/* The open file, locked as `wish` says. A shared lock is for shards of the same split. */
static int take(const char *path, const lock_wish *wish, const shard *own, attn_error *error) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return cannot(path, error);
    if (!(wish->shared ? share(fd, path, wish, own, error) : lock_take(fd, path, wish, error)))
        return fd;
    close(fd);
    return -1;
}

int study_lock_take(study_lock *lock, const char *out, const shard *own, attn_error *error) {
    const lock_wish of_folder = {own->count > 0, PATIENCE, "another study is at work there"};
    const lock_wish of_shard = {false, PATIENCE, "the same shard is at work there"};
    char *folder = attn_format(error, "%s/.lock", out);
    char *shard_file = attn_format(error, "%s/.lock-%zu-%zu", out, own->index, own->count);
    *lock = (study_lock){-1, -1};
    if (folder && shard_file)
        lock->folder = take(folder, &of_folder, own, error);
    if (lock->folder >= 0 && own->count)
        lock->own = take(shard_file, &of_shard, own, error);
    attn_free(folder);
    attn_free(shard_file);
    if (lock->folder >= 0 && (lock->own >= 0 || !own->count))
        return 0;
    study_lock_drop(lock);
    return -1;
}

void study_lock_drop(study_lock *lock) {
    if (lock->own >= 0)
        close(lock->own);
    if (lock->folder >= 0)
        close(lock->folder);
    *lock = (study_lock){-1, -1};
}
