#include "datasets/corpus.h"

#include "base/text/append.h"
#include "base/text/hash.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "datasets/folder.h"
#include "datasets/transcripts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { TRANSCRIPT_LIMIT = 64 << 20, NOTE_LIMIT = 1 << 16 };

typedef struct reader {
    corpus *corpus;
    attn_error *error;
} reader;

static int add_utterance(reader *r, const char *chapter, const char *file, const char *text) {
    corpus *c = r->corpus;
    corpus_utterance *more = attn_grown(c->utterances, c->count, sizeof *more, "corpus", r->error);
    if (!more)
        return -1;
    c->utterances = more;
    corpus_utterance *u = &c->utterances[c->count++];
    *u = (corpus_utterance){.id = attn_format(r->error, "%.*s", (int)folder_id_length(file), file),
                            .path = attn_format(r->error, "%s/%s", chapter, file),
                            .transcript = attn_strdup(text, r->error)};
    return u->id && u->path && u->transcript ? 0 : -1;
}

static int add_file(reader *r, const char *folder, const char *prefix, const char *file,
                    const transcripts *texts, const char *texts_path) {
    size_t length = strlen(prefix);
    if (strncmp(file, prefix, length) || file[length] != '-' || folder_id_length(file) <= length + 1)
        return attn_fail(r->error, "%s/%s: expected a name that starts with %s-, as LibriSpeech has them",
                         folder, file, prefix);
    char *id = attn_format(r->error, "%.*s", (int)folder_id_length(file), file);
    const char *text = id ? transcripts_find(texts, id) : NULL;
    attn_free(id);
    if (!text)
        return attn_fail(r->error, "%s/%s: no transcript in %s", folder, file, texts_path);
    return add_utterance(r, folder, file, text);
}

static int fail_silent(reader *r, const char *folder, const char *id, const char *texts_path) {
    folder_names others;
    if (folder_read(&others, folder, FOLDER_OTHER_AUDIO, r->error))
        return -1;
    const char *other = folder_find(&others, id);
    if (other)
        attn_fail(r->error, "%s/%s: only FLAC and WAV are read: convert it", folder, other);
    else
        attn_fail(r->error, "%s: utterance %.80s has no audio next to it", texts_path, id);
    folder_free(&others);
    return -1;
}

/* The chapter's audio against its transcripts: both must name the same utterances. */
static int match_chapter(reader *r, const char *folder, const char *prefix, const folder_names *audio,
                         const transcripts *texts, const char *texts_path) {
    for (size_t i = 0; i < audio->count; i++) {
        const char *file = audio->items[i], *next = i + 1 < audio->count ? audio->items[i + 1] : "";
        if (folder_id_length(file) == folder_id_length(next) && !memcmp(file, next, folder_id_length(file)))
            return attn_fail(r->error, "%s: %s and %s are one utterance twice", folder, file, next);
        if (add_file(r, folder, prefix, file, texts, texts_path))
            return -1;
    }
    for (size_t i = 0; i < texts->count; i++)
        if (!folder_find(audio, texts->lines[i].id))
            return fail_silent(r, folder, texts->lines[i].id, texts_path);
    return 0;
}

static int read_chapter(reader *r, const char *folder, const char *prefix) {
    folder_names audio = {0};
    transcripts texts = {0};
    char *bytes = NULL;
    size_t size;
    int result = -1;
    char *path = attn_format(r->error, "%s/%s.trans.txt", folder, prefix);
    if (!path || folder_read(&audio, folder, FOLDER_AUDIO, r->error))
        goto done;
    struct stat status;
    if (!audio.count && stat(path, &status)) { /* an empty folder */
        result = 0;
        goto done;
    }
    if (stat(path, &status)) {
        attn_fail(r->error, "%s: cannot be read: %s: the transcripts of %s, as LibriSpeech has them", path,
                  strerror(errno), folder);
        goto done;
    }
    bytes = attn_read_file(path, TRANSCRIPT_LIMIT, &size, r->error);
    if (!bytes || transcripts_parse(&texts, bytes, size, path, r->error))
        goto done;
    result = match_chapter(r, folder, prefix, &audio, &texts, path);
done:
    attn_free(bytes);
    transcripts_free(&texts);
    folder_free(&audio);
    attn_free(path);
    return result;
}

static int read_speaker(reader *r, const char *folder, const char *speaker) {
    folder_names chapters;
    if (folder_read(&chapters, folder, FOLDER_FOLDERS, r->error))
        return -1;
    int result = 0;
    for (size_t i = 0; !result && i < chapters.count; i++) {
        char *path = attn_format(r->error, "%s/%s", folder, chapters.items[i]);
        char *prefix = attn_format(r->error, "%s-%s", speaker, chapters.items[i]);
        result = path && prefix ? read_chapter(r, path, prefix) : -1;
        attn_free(path);
        attn_free(prefix);
    }
    folder_free(&chapters);
    return result;
}

static int read_split(reader *r, const char *folder) {
    folder_names speakers;
    if (folder_read(&speakers, folder, FOLDER_FOLDERS, r->error))
        return -1;
    int result = 0;
    for (size_t i = 0; !result && i < speakers.count; i++) {
        char *path = attn_format(r->error, "%s/%s", folder, speakers.items[i]);
        result = path ? read_speaker(r, path, speakers.items[i]) : -1;
        attn_free(path);
    }
    folder_free(&speakers);
    return result;
}

static int fail_split(const char *folder, const char *split, attn_error *error) {
    folder_names splits;
    if (folder_read(&splits, folder, FOLDER_FOLDERS, error))
        return -1;
    char list[400] = "";
    for (size_t i = 0; i < splits.count; i++)
        text_list(list, sizeof list, ", ", "%s", splits.items[i]);
    if (split)
        attn_fail(error, "%s: no split \"%s\", there is: %s", folder, split, *list ? list : "none");
    else
        attn_fail(error, "%s: which split? There is: %s", folder, *list ? list : "none");
    folder_free(&splits);
    return -1;
}

/* A split without utterances: often a corpus of another layout. */
static int fail_empty(const char *folder, attn_error *error) {
    struct stat status;
    char *texts = attn_format(error, "%s/transcripts.txt", folder);
    if (!texts)
        return -1;
    attn_fail(error, "%s: no utterances, expected SPEAKER/CHAPTER/SPEAKER-CHAPTER-UTTERANCE.flac or .wav%s",
              folder,
              stat(texts, &status) ? "" : " and their .trans.txt (this looks like the layout of MLS)");
    attn_free(texts);
    return -1;
}

/* Results of such speech say that no human spoke. */
static int read_synthetic(corpus *c, const char *folder, attn_error *error) {
    struct stat status;
    char *path = attn_format(error, "%s/SYNTHETIC.txt", folder), *text = NULL;
    if (path && !stat(path, &status))
        text = attn_read_file(path, NOTE_LIMIT, NULL, error);
    if (text)
        c->synthetic = attn_format(error, "%.*s", (int)strcspn(text, "\r\n"), text);
    int result = path && (c->synthetic || stat(path, &status)) ? 0 : -1;
    attn_free(text);
    attn_free(path);
    return result;
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
        result = fail_empty(path, error);
    attn_free(path);
    if (!result)
        result = read_synthetic(c, folder, error);
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
    attn_free(c->synthetic);
    *c = (corpus){0};
}

int corpus_hash_state(uint64_t *hash, const corpus *c, size_t count, attn_error *error) {
    for (size_t i = 0; i < count; i++)
        if (hash_file_state(hash, c->utterances[i].path, error))
            return -1;
    return 0;
}
