#include "base/process/scratch.h"

#include "attn/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *scratch_make(attn_error *error) {
    const char *place = getenv("TMPDIR");
    char *folder = attn_format(error, "%s/attnbench-XXXXXX", place && *place ? place : "/tmp");
    if (!folder || mkdtemp(folder))
        return folder;
    attn_fail(error, "%s: no folder can be made: %s", folder, strerror(errno));
    attn_free(folder);
    return NULL;
}

void scratch_remove(const char *folder) {
    DIR *list = folder ? opendir(folder) : NULL;
    for (struct dirent *entry; list && (entry = readdir(list));) {
        char *path = entry->d_name[0] == '.' ? NULL : attn_format(NULL, "%s/%s", folder, entry->d_name);
        if (path)
            unlink(path);
        attn_free(path);
    }
    if (list)
        closedir(list);
    if (folder)
        rmdir(folder);
}
