/* A model over the utterances of a split: what it hears, against what was said. */
#ifndef HARNESS_MODEL_SPEECH_RECOGNITION_H
#define HARNESS_MODEL_SPEECH_RECOGNITION_H

#include "attn/model.h"
#include "datasets/word_errors.h"
#include "harness/model/speech/speech.h"

typedef struct recognition_options {
    size_t chunk;     /* frames after the input layer in a call; 0: whole utterances */
    long left_chunks; /* of cache; -1: all */
    size_t beam;      /* prefixes of the search; 0: greedy */
} recognition_options;

typedef struct recognized {
    char *text;        /* the hypothesis */
    word_errors words; /* of this utterance */
    word_errors characters;
    double loss; /* CTC; 0 where the labels cannot be aligned */
} recognized;

typedef struct recognition {
    size_t count;
    recognized *utterances; /* [count], in the order of the speech */
    word_errors words, characters;
    double loss; /* mean over utterances */
    size_t infeasible;
    double seconds; /* of running the model and decoding */
    double audio_seconds;
    size_t kv_bytes_live; /* most that an utterance's caches held */
} recognition;

/* The speech is labelled with the units; features that it does not keep are made for one utterance at a time. Free with recognition_free, after a failure too. */
int recognition_run(recognition *r, attn_model *model, const speech *s, const units *u,
                    const recognition_options *options, attn_error *error);
void recognition_free(recognition *r);

/* One JSON object of it all; NULL and an error when memory is short. json_decref it. */
struct json_t *recognition_json(const recognition *r, const speech *s, attn_error *error);

/* NIST's transcripts: a line "WORDS (ID)" an utterance. */
int recognition_write_trn(const recognition *r, const speech *s, const char *path, attn_error *error);

#endif
