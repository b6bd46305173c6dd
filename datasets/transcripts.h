/* SPEAKER-CHAPTER.trans.txt: one utterance a line, "ID WORDS". */
#ifndef DATASETS_TRANSCRIPTS_H
#define DATASETS_TRANSCRIPTS_H

#include "attn/error.h"

#include <stddef.h>

typedef struct transcript {
    const char *id, *text;
} transcript;

typedef struct transcripts {
    transcript *lines; /* sorted by id, byte by byte */
    size_t count;
    char *buffer; /* what they point into */
} transcripts;

/* Parses the text of a file; `name` stands for it in messages. Empty lines and carriage returns at the ends
 * of lines are skipped. A line without words, an id with bytes other than printable ASCII, or with a slash,
 * an id given twice, and a NUL byte are errors that name the line or the id. Free with transcripts_free. */
int transcripts_parse(transcripts *t, const char *text, size_t size, const char *name, attn_error *error);
void transcripts_free(transcripts *t);

/* The text of an utterance; NULL when there is none. */
const char *transcripts_find(const transcripts *t, const char *id);

#endif
