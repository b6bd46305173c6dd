#include "harness/study/study_corpus.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/hash.h"
#include "base/text/json.h"
#include "base/text/utf8.h"
#include "datasets/audio.h"
#include "datasets/corpus.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t speaker_length(const corpus_utterance *u) {
    return strcspn(u->id, "-");
}

static bool same_speaker(const corpus_utterance *a, const corpus_utterance *b) {
    return speaker_length(a) == speaker_length(b) && !strncmp(a->id, b->id, speaker_length(a));
}

/* Utterances are sorted by speaker. */
static bool is_first(const corpus *c, size_t i) {
    return !i || !same_speaker(&c->utterances[i - 1], &c->utterances[i]);
}

static int describe(study_corpus *s, const corpus *c, const char *split, attn_error *error) {
    size_t samples, speakers = 0;
    double seconds = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (audio_check(&samples, c->utterances[i].path, error))
            return -1;
        seconds += (double)samples / AUDIO_RATE;
        speakers += is_first(c, i);
        s->identity = hash_text(hash_text(s->identity, c->utterances[i].id), c->utterances[i].transcript);
    }
    json_t *row = json_pack("{s:s, s:I, s:I, s:o}", "split", split, "utterances", (json_int_t)c->count,
                            "speakers", (json_int_t)speakers, "seconds", json_finite(seconds));
    return row && !json_array_append_new(s->splits, row) ? 0 : json_not_made(error, "splits", split);
}

static int list_speakers(study_corpus *s, const corpus *c, attn_error *error) {
    s->speakers = attn_alloc(c->count, sizeof *s->speakers, "speakers", error);
    for (size_t i = 0; s->speakers && i < c->count; i++) {
        if (!is_first(c, i))
            continue;
        const corpus_utterance *u = &c->utterances[i];
        s->speakers[s->count] = attn_format(error, "%.*s", (int)speaker_length(u), u->id);
        if (!s->speakers[s->count++])
            return -1;
    }
    return s->speakers ? 0 : -1;
}

static int read_split(study_corpus *s, const char *split, bool speakers, attn_error *error) {
    corpus c;
    if (corpus_read(&c, s->folder, split, error))
        return -1;
    int failed = describe(s, &c, split, error) || (speakers && list_speakers(s, &c, error));
    if (!failed && c.synthetic && !s->synthetic)
        failed = !(s->synthetic = attn_strdup(c.synthetic, error));
    corpus_free(&c);
    return failed ? -1 : 0;
}

int study_corpus_read(study_corpus *c, const char *folder, const study_plan *p, attn_error *error) {
    *c = (study_corpus){.folder = folder, .splits = json_array(), .identity = HASH_START};
    if (!c->splits)
        return attn_no_memory(error, "splits");
    if (read_split(c, p->train, true, error) || read_split(c, p->dev, false, error))
        return -1;
    for (size_t i = 0; i < p->tests; i++)
        if (strcmp(p->test[i], p->dev) && read_split(c, p->test[i], false, error))
            return -1;
    if (p->folds && c->count < 2)
        return attn_fail(error, "%s/%s: has one speaker; the plan leaves one out", folder, p->train);
    return 0;
}

void study_corpus_free(study_corpus *c) {
    for (size_t i = 0; i < c->count; i++)
        attn_free(c->speakers[i]);
    attn_free(c->speakers);
    attn_free(c->synthetic);
    json_decref(c->splits);
    *c = (study_corpus){0};
}

/* ---- Folds ---- */

#define HELD_OUT "held-out-"

static bool has_speaker(const study_corpus *c, const char *split, size_t speaker) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s/%s", c->folder, split, c->speakers[speaker]);
    return length < (int)sizeof path && !access(path, F_OK);
}

static int link_speaker(const study_corpus *c, const char *split, size_t speaker, const char *to,
                        attn_error *error) {
    char whole[PATH_MAX];
    char *from = attn_format(error, "%s/%s/%s", c->folder, split, c->speakers[speaker]);
    char *at = attn_format(error, "%s/%s", to, c->speakers[speaker]);
    int failed = !from || !at;
    if (!failed && (!realpath(from, whole) || (symlink(whole, at) && errno != EEXIST)))
        failed = attn_fail(error, "%s: cannot be made: %s", at, strerror(errno));
    attn_free(from);
    attn_free(at);
    return failed ? -1 : 0;
}

static int link_alone(const study_corpus *c, const char *out, const char *held_out, size_t speaker,
                      attn_error *error) {
    char *to = attn_format(error, "%s/%s", out, held_out);
    int failed = !to || attn_make_folder(to, error) ||
                 link_speaker(c, held_out + strlen(HELD_OUT), speaker, to, error);
    attn_free(to);
    return failed ? -1 : 0;
}

int study_fold_make(const study_corpus *c, const char *out, size_t speaker, const study_plan *p,
                    attn_error *error) {
    char *to = attn_format(error, "%s/%s", out, p->train), *split = NULL;
    int failed = to ? attn_make_folder(to, error) : -1;
    for (size_t i = 0; !failed && i < c->count; i++)
        if (i != speaker)
            failed = link_speaker(c, p->train, i, to, error);
    for (size_t n = 0; !failed && !(failed = study_fold_split(&split, c, speaker, p, n, error)) && split;
         n++) {
        failed = link_alone(c, out, split, speaker, error);
        attn_free(split);
    }
    attn_free(to);
    return failed;
}

int study_fold_split(char **split, const study_corpus *c, size_t speaker, const study_plan *p, size_t n,
                     attn_error *error) {
    const char *names[STUDY_LIST + 2] = {p->train};
    size_t count = 1;
    *split = NULL;
    if (has_speaker(c, p->dev, speaker))
        names[count++] = p->dev;
    for (size_t i = 0; i < p->tests; i++)
        if (strcmp(p->test[i], p->dev) && has_speaker(c, p->test[i], speaker))
            names[count++] = p->test[i];
    if (n >= count)
        return 0;
    *split = attn_format(error, HELD_OUT "%s", names[n]);
    return *split ? 0 : -1;
}
