#include "base/home.h"

#include "base/text/append.h"
#include "base/text/ending.h"

#include "attn/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
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

static const char ending[] = ".yaml";

static int has_name(const struct dirent *entry) {
    return text_ends(entry->d_name, ending);
}

/* The names of the files NAME.yaml in a folder below the project's: "encoder, full, quick". */
static int list_names(char list[HOME_NAMES], const char *folder, attn_error *error) {
    char *path = home_path(folder, error);
    struct dirent **files = NULL;
    list[0] = '\0';
    if (!path)
        return -1;
    int count = scandir(path, &files, has_name, alphasort);
    attn_free(path);
    for (int i = 0; i < count; i++) {
        const char *name = files[i]->d_name;
        text_list(list, HOME_NAMES, ", ", "%.*s", (int)(strlen(name) - strlen(ending)), name);
        free(files[i]);
    }
    free(files);
    return 0;
}

void home_names_help(char text[HOME_NAMES + 64], const char *folder) {
    char names[HOME_NAMES];
    if (list_names(names, folder, NULL))
        names[0] = '\0'; /* asking for a file reports why */
    snprintf(text, HOME_NAMES + 64, "needed: a name%s%s%s or a file", *names ? " (" : "", names,
             *names ? ")" : "");
}

bool home_is_path(const char *which) {
    return strchr(which, '/') || text_ends(which, ending);
}

char *home_named_file(const char *which, const char *folder, const char *option, const char *what,
                      attn_error *error) {
    char list[HOME_NAMES];
    if (home_is_path(which))
        return attn_strdup(which, error);
    char *relative = attn_format(error, "%s/%s%s", folder, which, ending);
    char *path = relative ? home_path(relative, error) : NULL;
    attn_free(relative);
    if (!path || !access(path, F_OK))
        return path;
    attn_free(path);
    if (!list_names(list, folder, error))
        attn_fail(error, "%s %s: no such %s, expected %s%sa file (NAME.yaml, or with a / in its name)",
                  option, which, what, list, *list ? ", or " : "");
    return NULL;
}
