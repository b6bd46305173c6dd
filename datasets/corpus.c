#include "datasets/corpus.h"

#include "base/text/append.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "datasets/transcripts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TRANSCRIPT_LIMIT = 64 << 20 };

/* Names in a folder, sorted. */
typedef struct names {
    char **items;
    size_t count, room;
} names;

static void names_free(names *n) {
    for (size_t i = 0; i < n->count; i++)
        attn_free(n->items[i]);
    attn_free(n->items);
    *n = (names){0};
}

/* Makes room for one more element of a growing array. NULL and an error when memory is refused. */
static void *grown(void *items, size_t count, size_t *room, size_t size, attn_error *error) {
    if (count < *room)
        return items;
    void *more = attn_realloc(items, *room ? *room * 2 : 16, size, "corpus", error);
    if (more)
        *room = *room ? *room * 2 : 16;
    return more;
}

static int names_add(names *n, const char *name, size_t length, attn_error *error) {
    char **items = grown(n->items, n->count, &n->room, sizeof *items, error);
    if (!items)
        return -1;
    n->items = items;
    n->items[n->count] = attn_format(error, "%.*s", (int)length, name);
    return n->items[n->count] ? (n->count++, 0) : -1;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Length of a wanted name without `ending`; 0 when it is not wanted. */
static size_t wanted(DIR *stream, const char *name, const char *ending) {
    struct stat status; /* follows symbolic links: splits are often linked into place */
    size_t length = strlen(name), tail = ending ? strlen(ending) : 0;
    if (name[0] == '.')
        return 0;
    if (ending)
        return length > tail && !strcmp(name + length - tail, ending) ? length - tail : 0;
    return !fstatat(dirfd(stream), name, &status, 0) && S_ISDIR(status.st_mode) ? length : 0;
}

/* `ending` NULL: the folders in `folder`, else its files with that ending, which is left out. */
static int names_read(names *n, const char *folder, const char *ending, attn_error *error) {
    *n = (names){0};
    DIR *stream = opendir(folder);
    if (!stream)
        return attn_fail(error, "%s: cannot be read: %s", folder, strerror(errno));
    struct dirent *entry;
    int result = 0;
    for (errno = 0; !result && (entry = readdir(stream)); errno = 0) {
        size_t length = wanted(stream, entry->d_name, ending);
        if (length)
            result = names_add(n, entry->d_name, length, error);
    }
    if (!result && errno)
        result = attn_fail(error, "%s: cannot be read: %s", folder, strerror(errno));
    closedir(stream);
    if (result)
        names_free(n);
    else if (n->count)
        qsort(n->items, n->count, sizeof *n->items, compare_names);
    return result;
}

typedef struct reader {
    corpus *corpus;
    size_t room;
    attn_error *error;
} reader;

static int add_utterance(reader *r, const char *chapter, const char *id, const char *text) {
    corpus *c = r->corpus;
    corpus_utterance *more = grown(c->utterances, c->count, &r->room, sizeof *more, r->error);
    if (!more)
        return -1;
    c->utterances = more;
    corpus_utterance *u = &c->utterances[c->count++];
    *u = (corpus_utterance){.id = attn_strdup(id, r->error),
                            .path = attn_format(r->error, "%s/%s.flac", chapter, id),
                            .transcript = attn_strdup(text, r->error)};
    return u->id && u->path && u->transcript ? 0 : -1;
}

/* The chapter's audio against its transcripts: both must name the same utterances. */
static int match_chapter(reader *r, const char *folder, const char *prefix, const names *audio,
                         const transcripts *texts, const char *texts_path) {
    for (size_t i = 0; i < audio->count; i++) {
        const char *id = audio->items[i];
        size_t length = strlen(prefix);
        if (strncmp(id, prefix, length) || id[length] != '-' || !id[length + 1])
            return attn_fail(r->error, "%s/%s.flac: expected a name that starts with %s-", folder, id,
                             prefix);
        const char *text = transcripts_find(texts, id);
        if (!text)
            return attn_fail(r->error, "%s/%s.flac: no transcript in %s", folder, id, texts_path);
        if (add_utterance(r, folder, id, text))
            return -1;
    }
    for (size_t i = 0; i < texts->count; i++) {
        const char *id = texts->lines[i].id;
        if (!bsearch(&id, audio->items, audio->count, sizeof *audio->items, compare_names))
            return attn_fail(r->error, "%s: utterance %.80s has no audio beside it", texts_path, id);
    }
    return 0;
}

static int read_chapter(reader *r, const char *folder, const char *prefix) {
    names audio = {0};
    transcripts texts = {0};
    char *bytes = NULL;
    size_t size;
    int result = -1;
    char *path = attn_format(r->error, "%s/%s.trans.txt", folder, prefix);
    if (!path || names_read(&audio, folder, ".flac", r->error))
        goto done;
    struct stat status;
    if (!audio.count && stat(path, &status)) { /* an empty folder */
        result = 0;
        goto done;
    }
    bytes = attn_read_file(path, TRANSCRIPT_LIMIT, &size, r->error);
    if (!bytes || transcripts_parse(&texts, bytes, size, path, r->error))
        goto done;
    result = match_chapter(r, folder, prefix, &audio, &texts, path);
done:
    attn_free(bytes);
    transcripts_free(&texts);
    names_free(&audio);
    attn_free(path);
    return result;
}

static int read_speaker(reader *r, const char *folder, const char *speaker) {
    names chapters;
    if (names_read(&chapters, folder, NULL, r->error))
        return -1;
    int result = 0;
    for (size_t i = 0; !result && i < chapters.count; i++) {
        char *path = attn_format(r->error, "%s/%s", folder, chapters.items[i]);
        char *prefix = attn_format(r->error, "%s-%s", speaker, chapters.items[i]);
        result = path && prefix ? read_chapter(r, path, prefix) : -1;
        attn_free(path);
        attn_free(prefix);
    }
    names_free(&chapters);
    return result;
}

static int read_split(reader *r, const char *folder) {
    names speakers;
    if (names_read(&speakers, folder, NULL, r->error))
        return -1;
    int result = 0;
    for (size_t i = 0; !result && i < speakers.count; i++) {
        char *path = attn_format(r->error, "%s/%s", folder, speakers.items[i]);
        result = path ? read_speaker(r, path, speakers.items[i]) : -1;
        attn_free(path);
    }
    names_free(&speakers);
    return result;
}

static int fail_split(const char *folder, const char *split, attn_error *error) {
    names splits;
    if (names_read(&splits, folder, NULL, error))
        return -1;
    char list[400] = "";
    for (size_t i = 0; i < splits.count; i++)
        text_list(list, sizeof list, ", ", "%s", splits.items[i]);
    if (split)
        attn_fail(error, "%s: no split \"%s\", there is: %s", folder, split, *list ? list : "none");
    else
        attn_fail(error, "%s: which split? There is: %s", folder, *list ? list : "none");
    names_free(&splits);
    return -1;
}

int corpus_read(corpus *c, const char *folder, const char *split, attn_error *error) {
    *c = (corpus){0};
    reader r = {.corpus = c, .error = error};
    struct stat status;
    char *path = attn_format(error, "%s/%s", folder, split ? split : "");
    int result = -1;
    if (!path)
        return -1;
    if (!split || !*split || stat(path, &status) || !S_ISDIR(status.st_mode))
        fail_split(folder, split, error);
    else if (!(result = read_split(&r, path)) && !c->count)
        result = attn_fail(
            error, "%s: no utterances, expected SPEAKER/CHAPTER/SPEAKER-CHAPTER-UTTERANCE.flac", path);
    attn_free(path);
    if (result)
        corpus_free(c);
    return result;
}

void corpus_free(corpus *c) {
    for (size_t i = 0; i < c->count; i++) {
        attn_free(c->utterances[i].id);
        attn_free(c->utterances[i].path);
        attn_free(c->utterances[i].transcript);
    }
    attn_free(c->utterances);
    *c = (corpus){0};
}
