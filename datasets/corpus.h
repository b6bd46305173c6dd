/* A speech corpus laid out as LibriSpeech is (Panayotov et al. 2015):
 * FOLDER/SPLIT/SPEAKER/CHAPTER/SPEAKER-CHAPTER-UTTERANCE.flac (or .wav; either in any case), with
 * SPEAKER-CHAPTER.trans.txt next to them. */
#ifndef DATASETS_CORPUS_H
#define DATASETS_CORPUS_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct corpus_utterance {
    char *id;   /* SPEAKER-CHAPTER-UTTERANCE */
    char *path; /* FOLDER/SPLIT/.../ID.flac or .wav */
    char *transcript;
} corpus_utterance;

typedef struct corpus {
    /* Sorted by speaker, chapter and id, byte by byte; the file system's order does not matter. */
    corpus_utterance *utterances;
    size_t count;
    char *synthetic; /* the first line of FOLDER/SYNTHETIC.txt: what made the speech; NULL: there is none */
} corpus;

/* Lists the utterances of a split; opens no audio. When `split` is NULL or is not there, the error lists the
 * splits that are there. An incomplete corpus is an error, because its numbers would be those of another
 * corpus: audio without a transcript, a transcript without audio, audio in a folder whose name it does not
 * carry, the same utterance twice, audio of another kind, and a split without utterances. Other files, and
 * names that start with a dot, are skipped. Free with corpus_free. */
int corpus_read(corpus *c, const char *folder, const char *split, attn_error *error);
void corpus_free(corpus *c);

/* Continues `hash` over the audio files of the first `count` utterances, as hash_file_state does. */
int corpus_hash_state(uint64_t *hash, const corpus *c, size_t count, attn_error *error);

#endif
