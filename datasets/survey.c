#include "datasets/survey.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/hash.h"
#include "datasets/audio.h"
#include "datasets/corpus.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int describe(corpus_survey *s, const corpus *c, const char *name, attn_error *error) {
    survey_split *split = &s->splits[s->count++];
    size_t samples;
    *split = (survey_split){.name = name, .utterances = c->count};
    for (size_t i = 0; i < c->count; i++) {
        if (audio_check(&samples, c->utterances[i].path, error))
            return -1;
        split->seconds += (double)samples / AUDIO_RATE;
        split->speakers += is_first(c, i);
        s->identity = hash_text(hash_text(s->identity, c->utterances[i].id), c->utterances[i].transcript);
    }
    return 0;
}

static int list_speakers(corpus_survey *s, const corpus *c, attn_error *error) {
    s->speakers = attn_alloc(c->count, sizeof *s->speakers, "speakers", error);
    for (size_t i = 0; s->speakers && i < c->count; i++) {
        if (!is_first(c, i))
            continue;
        const corpus_utterance *u = &c->utterances[i];
        s->speakers[s->speaker_count] = attn_format(error, "%.*s", (int)speaker_length(u), u->id);
        if (!s->speakers[s->speaker_count++])
            return -1;
    }
    return s->speakers ? 0 : -1;
}

static int read_split(corpus_survey *s, const char *name, attn_error *error) {
    corpus c;
    bool first = !s->count;
    if (corpus_read(&c, s->folder, name, error))
        return -1;
    int failed = describe(s, &c, name, error) || (first && list_speakers(s, &c, error));
    if (!failed && first && c.synthetic)
        failed = !(s->synthetic = attn_strdup(c.synthetic, error));
    corpus_free(&c);
    return failed ? -1 : 0;
}

int survey_read(corpus_survey *s, const char *folder, const char *const *splits, attn_error *error) {
    *s = (corpus_survey){.folder = folder, .identity = HASH_START};
    for (size_t i = 0; splits[i]; i++) {
        if (s->count == SURVEY_SPLITS)
            return attn_fail(error, "%s: more than %d splits", folder, SURVEY_SPLITS);
        if (read_split(s, splits[i], error))
            return -1;
    }
    return 0;
}

void survey_free(corpus_survey *s) {
    for (size_t i = 0; i < s->speaker_count; i++)
        attn_free(s->speakers[i]);
    attn_free(s->speakers);
    attn_free(s->synthetic);
    *s = (corpus_survey){0};
}

/* ---- One speaker left out ---- */

#define HELD_OUT "held-out-"

static bool has_speaker(const corpus_survey *s, const char *split, size_t speaker) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s/%s", s->folder, split, s->speakers[speaker]);
    return length < (int)sizeof path && !access(path, F_OK);
}

/* Takes both paths. */
static int make_link(char *from, char *at, attn_error *error) {
    char whole[PATH_MAX];
    int failed = !from || !at;
    if (!failed && (!realpath(from, whole) || (symlink(whole, at) && errno != EEXIST)))
        failed = attn_fail(error, "%s: cannot be made: %s", at, strerror(errno));
    attn_free(from);
    attn_free(at);
    return failed ? -1 : 0;
}

static int link_speaker(const corpus_survey *s, const char *split, size_t speaker, const char *to,
                        attn_error *error) {
    return make_link(attn_format(error, "%s/%s/%s", s->folder, split, s->speakers[speaker]),
                     attn_format(error, "%s/%s", to, s->speakers[speaker]), error);
}

/* The note that says what made the speech is true of the copy too. */
static int link_note(const corpus_survey *s, const char *out, attn_error *error) {
    return s->synthetic ? make_link(attn_format(error, "%s/SYNTHETIC.txt", s->folder),
                                    attn_format(error, "%s/SYNTHETIC.txt", out), error)
                        : 0;
}

static int link_alone(const corpus_survey *s, const char *out, const char *held_out, size_t speaker,
                      attn_error *error) {
    char *to = attn_format(error, "%s/%s", out, held_out);
    int failed = !to || attn_make_folder(to, error) ||
                 link_speaker(s, held_out + strlen(HELD_OUT), speaker, to, error);
    attn_free(to);
    return failed ? -1 : 0;
}

int survey_leave_out(const corpus_survey *s, const char *out, size_t speaker, attn_error *error) {
    const char *first = s->splits[0].name;
    char *to = attn_format(error, "%s/%s", out, first), *split = NULL;
    int failed = !to || attn_make_folder(to, error) || link_note(s, out, error);
    for (size_t i = 0; !failed && i < s->speaker_count; i++)
        if (i != speaker)
            failed = link_speaker(s, first, i, to, error);
    for (size_t n = 0; !failed && !(failed = survey_held_out(&split, s, speaker, n, error)) && split; n++) {
        failed = link_alone(s, out, split, speaker, error);
        attn_free(split);
    }
    attn_free(to);
    return failed ? -1 : 0;
}

int survey_held_out(char **split, const corpus_survey *s, size_t speaker, size_t n, attn_error *error) {
    *split = NULL;
    for (size_t i = 0; i < s->count; i++)
        if (has_speaker(s, s->splits[i].name, speaker) && !n--) {
            *split = attn_format(error, HELD_OUT "%s", s->splits[i].name);
            return *split ? 0 : -1;
        }
    return 0;
}
