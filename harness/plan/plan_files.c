#include "harness/plan/plan_files.h"

#include "base/home.h"
#include "base/text/append.h"

#include "attn/alloc.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_plan_file(const struct dirent *entry) {
    const char *ending = strrchr(entry->d_name, '.');
    return ending && !strcmp(ending, ".yaml");
}

int plan_names(char list[PLAN_NAMES], const char *folder, attn_error *error) {
    char *path = home_path(folder, error);
    struct dirent **files = NULL;
    list[0] = '\0';
    if (!path)
        return -1;
    int count = scandir(path, &files, is_plan_file, alphasort);
    attn_free(path);
    for (int i = 0; i < count; i++) {
        const char *name = files[i]->d_name;
        text_list(list, PLAN_NAMES, ", ", "%.*s", (int)(strlen(name) - strlen(".yaml")), name);
        free(files[i]);
    }
    free(files);
    return 0;
}

void plan_help(char text[PLAN_NAMES + 64], const char *folder) {
    char names[PLAN_NAMES];
    if (plan_names(names, folder, NULL))
        names[0] = '\0'; /* reading a plan reports why */
    snprintf(text, PLAN_NAMES + 64, "needed: a name (%s) or a file", names);
}

static int no_such_plan(const char *which, const char *folder, attn_error *error) {
    char list[PLAN_NAMES];
    if (plan_names(list, folder, error))
        return -1;
    return attn_fail(error,
                     "--plan %s: no such plan, expected %s%sa file (NAME.yaml, or with a / in its name)",
                     which, list, *list ? ", or " : "");
}

char *plan_path(const char *which, const char *folder, attn_error *error) {
    size_t length = strlen(which);
    if (strchr(which, '/') || (length > 5 && !strcmp(which + length - 5, ".yaml")))
        return attn_strdup(which, error);
    char *relative = attn_format(error, "%s/%s.yaml", folder, which);
    char *path = relative ? home_path(relative, error) : NULL;
    attn_free(relative);
    if (!path || !access(path, F_OK))
        return path;
    no_such_plan(which, folder, error);
    attn_free(path);
    return NULL;
}
