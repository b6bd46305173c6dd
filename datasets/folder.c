#include "datasets/folder.h"

#include "attn/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

void folder_free(folder_names *n) {
    for (size_t i = 0; i < n->count; i++)
        attn_free(n->items[i]);
    attn_free(n->items);
    *n = (folder_names){0};
}

static int names_add(folder_names *n, const char *name, attn_error *error) {
    char **items = attn_grown(n->items, n->count, sizeof *items, "corpus", error);
    if (!items)
        return -1;
    n->items = items;
    n->items[n->count] = attn_strdup(name, error);
    return n->items[n->count] ? (n->count++, 0) : -1;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- Audio files: an id and an ending */

size_t folder_id_length(const char *file) {
    const char *dot = strrchr(file, '.');
    return dot ? (size_t)(dot - file) : strlen(file);
}

/* Whether a name ends in one of a NULL-terminated list, in any case. */
static bool ends_in(const char *file, const char *const *endings) {
    for (size_t i = 0; endings[i]; i++)
        if (!strcasecmp(file + folder_id_length(file), endings[i]))
            return folder_id_length(file) > 0;
    return false;
}

static bool is_read(const char *file) {
    static const char *const endings[] = {".flac", ".wav", NULL};
    return ends_in(file, endings);
}

/* Audio that is not read here: it gets a message of its own. */
static bool is_other_audio(const char *file) {
    static const char *const endings[] = {".opus", ".ogg", ".oga", ".mp3",  ".m4a",  ".aac", ".sph",
                                          ".wma",  ".amr", ".aif", ".aiff", ".webm", NULL};
    return ends_in(file, endings);
}

static int compare_id(const void *id, const void *file) {
    const char *name = *(char *const *)file;
    size_t length = folder_id_length(name);
    int order = strncmp(id, name, length);
    return order ? order : ((const char *)id)[length] != '\0';
}

static int compare_files(const void *a, const void *b) {
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t n = folder_id_length(x), m = folder_id_length(y);
    int order = memcmp(x, y, n < m ? n : m);
    return order ? order : n == m ? strcmp(x, y) : n < m ? -1 : 1;
}

static bool wanted(DIR *stream, const char *name, folder_kind what) {
    struct stat status; /* follows symbolic links: splits are often linked into place */
    if (name[0] == '.')
        return false;
    if (what != FOLDER_FOLDERS)
        return what == FOLDER_AUDIO ? is_read(name) : is_other_audio(name);
    return !fstatat(dirfd(stream), name, &status, 0) && S_ISDIR(status.st_mode);
}

int folder_read(folder_names *n, const char *folder, folder_kind what, attn_error *error) {
    *n = (folder_names){0};
    DIR *stream = opendir(folder);
    if (!stream)
        return attn_fail(error, "%s: cannot be read: %s", folder, strerror(errno));
    struct dirent *entry;
    int result = 0;
    for (errno = 0; !result && (entry = readdir(stream)); errno = 0) {
        if (wanted(stream, entry->d_name, what))
            result = names_add(n, entry->d_name, error);
    }
    if (!result && errno)
        result = attn_fail(error, "%s: cannot be read: %s", folder, strerror(errno));
    closedir(stream);
    if (result)
        folder_free(n);
    else if (n->count)
        qsort(n->items, n->count, sizeof *n->items, what == FOLDER_FOLDERS ? compare_names : compare_files);
    return result;
}

const char *folder_find(const folder_names *audio, const char *id) {
    char *const *found =
        audio->count ? bsearch(id, audio->items, audio->count, sizeof *audio->items, compare_id) : NULL;
    return found ? *found : NULL;
}
