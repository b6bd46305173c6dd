#include "harness/results/lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

static bool has_option(const char *options, const char *option) {
    size_t length = strlen(option);
    for (const char *at = options; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!strncmp(at, option, length) && strchr(", \n", at[length]))
            return true;
    return false;
}

/* Mounts whose locks are those of one machine, although others see its files. */
static const struct {
    const char *type, *option; /* the type's beginning; an option of the mount, or NULL: in any case */
} local_locks[] = {{"nfs", "nolock"},        {"nfs", "local_lock=all"}, {"nfs", "local_lock=flock"},
                   {"lustre", "localflock"}, {"cifs", "nobrl"},         {"smb3", "nobrl"},
                   {"fuse.sshfs", NULL},     {"fuse.rclone", NULL},     {"fuse.s3fs", NULL},
                   {"fuse.gcsfuse", NULL}};

static bool starts_with(const char *text, const char *start) {
    return !strncmp(text, start, strlen(start));
}

/* A line: "36 35 0:43 / /home rw,noatime shared:1 - nfs4 server:/home rw,vers=4.2,local_lock=none". */
static lock_reach reach_of(const char *line) {
    char type[32] = "", options[1024] = "";
    const char *rest = strstr(line, " - ");
    if (!rest || sscanf(rest, " - %31s %*s %1023s", type, options) != 2)
        return LOCK_IS_SURE;
    for (size_t i = 0; i < sizeof local_locks / sizeof *local_locks; i++)
        if (starts_with(type, local_locks[i].type) &&
            (!local_locks[i].option || has_option(options, local_locks[i].option)))
            return LOCK_STAYS_LOCAL;
    return starts_with(type, "nfs") ? LOCK_OUTLIVES : LOCK_IS_SURE;
}

lock_reach lock_find_reach(const char *mountinfo, const char *device) {
    char found[32], line[4096];
    for (const char *at = mountinfo; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (sscanf(line, "%*s %*s %31s", found) == 1 && !strcmp(found, device))
            return reach_of(line);
    }
    return LOCK_IS_SURE;
}

/* Not attn_read_file: files of /proc have no size. */
static lock_reach reach_of_file(int fd) {
    struct stat status;
    char device[32], line[4096];
    lock_reach reach = LOCK_IS_SURE;
    FILE *mounts = fstat(fd, &status) ? NULL : fopen("/proc/self/mountinfo", "re");
    if (!mounts)
        return reach;
    snprintf(device, sizeof device, "%u:%u", major(status.st_dev), minor(status.st_dev));
    while (reach == LOCK_IS_SURE && fgets(line, sizeof line, mounts))
        reach = lock_find_reach(line, device);
    fclose(mounts);
    return reach;
}

static int no_locks(const char *path, int why, attn_error *error) {
    if (why == ENOLCK || why == ENOSYS || why == EOPNOTSUPP)
        return attn_fail(
            error,
            "%s: cannot be locked: %s: this file system has no locks that machines share; choose an "
            "--out on another",
            path, strerror(why));
    return attn_fail(error, "%s: cannot be locked: %s", path, strerror(why));
}

/* 1: taken, 0: somebody else has it, -1: an error. */
static int take_now(int fd, const char *path, int how, attn_error *error) {
    if (!flock(fd, how | LOCK_NB))
        return 1;
    return errno == EWOULDBLOCK || errno == EINTR ? 0 : no_locks(path, errno, error);
}

static int check_reach(lock_reach reach, const char *path, attn_error *error) {
    if (reach != LOCK_STAYS_LOCAL)
        return 0;
    return attn_fail(
        error,
        "%s: is on a shared file system without locks that other machines see (NFS with nolock or "
        "local_lock, Lustre with localflock, sshfs, ...); choose an --out on another",
        path);
}

int lock_try(int fd, const char *path, bool *taken, attn_error *error) {
    int result = check_reach(reach_of_file(fd), path, error) ? -1 : take_now(fd, path, LOCK_EX, error);
    *taken = result > 0;
    return result < 0 ? -1 : 0;
}

int lock_take(int fd, const char *path, const lock_wish *wish, attn_error *error) {
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    lock_reach reach = reach_of_file(fd);
    if (check_reach(reach, path, error))
        return -1;
    for (int i = 0; i < (reach == LOCK_OUTLIVES ? 6000 : 50 * wish->seconds); i++) {
        int taken = take_now(fd, path, wish->shared ? LOCK_SH : LOCK_EX, error);
        if (taken)
            return taken > 0 ? 0 : -1;
        nanosleep(&pause, NULL);
    }
    return attn_fail(error, "%s: %s", path, wish->busy);
}

int lock_journal(int fd, const char *path, attn_error *error) {
    const lock_wish wish = {.seconds = 1, .busy = "another sweep is writing it"};
    return lock_take(fd, path, &wish, error);
}
