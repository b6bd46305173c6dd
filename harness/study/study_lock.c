#include "harness/study/study_lock.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "harness/results/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The processes of a study that was killed hold its lock a moment longer. */
enum { PATIENCE = 5 };

/* Takes *path. */
static int take(char *path, const lock_wish *wish, attn_error *error) {
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    if (path && fd < 0)
        attn_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    if (fd >= 0 && lock_take(fd, path, wish, error)) {
        close(fd);
        fd = -1;
    }
    attn_free(path);
    return fd;
}

int study_lock_take(study_lock *lock, const char *out, const shard *own, attn_error *error) {
    const lock_wish folder = {own->count > 0, PATIENCE, "another study is at work there"};
    const lock_wish alone = {false, PATIENCE, "the same shard is at work there"};
    *lock = (study_lock){take(attn_format(error, "%s/.lock", out), &folder, error), -1};
    if (lock->folder < 0 || !own->count)
        return lock->folder < 0 ? -1 : 0;
    lock->own = take(attn_format(error, "%s/.lock-%zu-%zu", out, own->index, own->count), &alone, error);
    if (lock->own >= 0)
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
