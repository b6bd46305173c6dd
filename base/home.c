#include "base/home.h"

#include "attn/alloc.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *home_executable(attn_error *error) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) {
        attn_fail(error, "/proc/self/exe: %s", strerror(errno));
        return NULL;
    }
    path[length] = '\0';
    return attn_strdup(path, error);
}

/* As `make install` lays it out: PREFIX/bin/attnbench and PREFIX/share/attnbench. */
static bool is_installed(const char *prefix) {
    char folder[PATH_MAX];
    int length = snprintf(folder, sizeof folder, "%s/share/attnbench", prefix);
    struct stat status;
    return length > 0 && (size_t)length < sizeof folder && !stat(folder, &status) && S_ISDIR(status.st_mode);
}

char *home_path(const char *relative, attn_error *error) {
    const char *home = getenv("ATTNBENCH_HOME");
    if (home && *home)
        return attn_format(error, "%s/%s", home, relative);
    char *executable = home_executable(error);
    if (!executable)
        return NULL;
    for (int i = 0; i < 2; i++) {
        char *slash = strrchr(executable, '/');
        if (slash && slash != executable)
            *slash = '\0';
    }
    char *path = is_installed(executable) ? attn_format(error, "%s/share/attnbench/%s", executable, relative)
                                          : attn_format(error, "%s/%s", executable, relative);
    attn_free(executable);
    return path;
}
