#include "reports/plots/run/staging.h"

#include "attn/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *staging_make(const char *out, attn_error *error) {
    char *folder = attn_format(error, "%s/.plots.tmp.%ld", out, (long)getpid());
    if (folder && attn_make_folder(folder, error)) {
        attn_free(folder);
        folder = NULL;
    }
    return folder;
}

void staging_remove(const char *folder) {
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            unlinkat(dirfd(open), entry->d_name, 0);
    if (open)
        closedir(open);
    rmdir(folder);
}

int staging_open(attn_output *output, const char *folder, const char *name, const char *extension,
                 attn_error *error) {
    char *path = attn_format(error, "%s/%s%s", folder, name, extension);
    int result = path ? attn_output_open(output, path, error) : -1;
    attn_free(path);
    return result;
}

int staging_move(const char *from, const char *to, const char *name, const char *extension,
                 attn_error *error) {
    char *source = attn_format(error, "%s/%s%s", from, name, extension);
    char *target = attn_format(error, "%s/%s%s", to, name, extension);
    int result = source && target ? 0 : -1;
    if (!result && rename(source, target))
        result = attn_fail(error, "%s: cannot be written: %s", target, strerror(errno));
    attn_free(source);
    attn_free(target);
    return result;
}

int staging_remove_old(const char *folder, const char *name, const char *extension, attn_error *error) {
    char *path = attn_format(error, "%s/%s%s", folder, name, extension);
    int result = path ? 0 : -1;
    if (path && unlink(path) && errno != ENOENT)
        result = attn_fail(error, "%s: cannot be removed: %s", path, strerror(errno));
    attn_free(path);
    return result;
}
