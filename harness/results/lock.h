/* Locks of files that are being written, also where several machines share its file system. */
#ifndef HARNESS_RESULTS_LOCK_H
#define HARNESS_RESULTS_LOCK_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Takes flock's lock of the open file, for as long as it is open. Linux passes it on to the servers of NFS and of other
 * shared file systems, so that it holds between machines; mounts on which it does not are refused. Waits a second for
 * one who is about to end; on NFS, where the lock of a machine that died is kept for a while, two minutes. */
int lock_journal(int fd, const char *path, attn_error *error);

typedef struct lock_wish {
    bool shared;      /* with others who wish so, too */
    int seconds;      /* how long one waits, but on NFS */
    const char *busy; /* what is said when somebody else has it */
} lock_wish;

/* The same, as it is wished. */
int lock_take(int fd, const char *path, const lock_wish *wish, attn_error *error);

/* The same, unshared and without waiting: *taken is false when somebody else has it. */
int lock_try(int fd, const char *path, bool *taken, attn_error *error);

typedef enum lock_reach {
    LOCK_IS_SURE,    /* one machine's file system, or locks are passed on */
    LOCK_OUTLIVES,   /* passed on to a server of NFS */
    LOCK_STAYS_LOCAL /* shared, but other machines do not see it */
} lock_reach;

/* Of the file system `major:minor` in the text of /proc/self/mountinfo. */
lock_reach lock_find_reach(const char *mountinfo, const char *device);

#endif
