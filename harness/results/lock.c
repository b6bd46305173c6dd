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

/* A line: "36 35 0:43 / /home rw,noatime shared:1 - nfs4 server:/home rw,vers=4.2,local_lock=none". */
static lock_reach reach_of(const char *line) {
    char type[32] = "", options[1024] = "";
    const char *rest = strstr(line, " - ");
    if (!rest || sscanf(rest, " - %31s %*s %1023s", type, options) != 2 || strncmp(type, "nfs", 3) != 0)
        return LOCK_IS_SURE;
    return has_option(options, "nolock") || has_option(options, "local_lock=all") ||
                   has_option(options, "local_lock=flock")
               ? LOCK_STAYS_LOCAL
               : LOCK_OUTLIVES;
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

int lock_take(int fd, const char *path, const lock_wish *wish, attn_error *error) {
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    lock_reach reach = reach_of_file(fd);
    if (reach == LOCK_STAYS_LOCAL)
        return attn_fail(
            error,
            "%s: is on NFS mounted with nolock or local_lock, so that other machines do not see its lock; "
            "choose an --out on another file system",
            path);
    for (int i = 0; i < (reach == LOCK_OUTLIVES ? 6000 : 50 * wish->seconds); i++) {
        if (!flock(fd, (wish->shared ? LOCK_SH : LOCK_EX) | LOCK_NB))
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return no_locks(path, errno, error);
        nanosleep(&pause, NULL);
    }
    return attn_fail(error, "%s: %s", path, wish->busy);
}

int lock_journal(int fd, const char *path, attn_error *error) {
    const lock_wish wish = {.seconds = 1, .busy = "another sweep is writing it"};
    return lock_take(fd, path, &wish, error);
}
