/* What an output layer speaks: tokens and their numbers, and transcripts turned into numbers and back.
 *
 * A file has WeNet's form: a token and its number a line, numbers from 0 in order, <blank> 0. Three kinds:
 * words (a token a word), and characters or pieces of words, where a token U+2581 begins or separates words, as
 * SentencePiece writes it (Kudo and Richardson 2018); <space> in a file means the same. */
#ifndef DATASETS_UNITS_H
#define DATASETS_UNITS_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

typedef enum units_kind { UNITS_CHARACTERS, UNITS_WORDS } units_kind;

typedef struct units {
    units_kind kind;
    char **tokens; /* [count] by number; tokens[0] is <blank> */
    size_t count;
    size_t *sorted; /* numbers in the order of tokens, byte by byte */
    size_t longest; /* bytes of the longest token */
} units;

/* The units that transcripts are made of: <blank>, then their characters (UTF-8 code points, a space as U+2581)
 * or words, byte by byte in order. Free with units_free. */
int units_make(units *u, units_kind kind, const char *const *texts, size_t count, attn_error *error);

/* Reads and writes WeNet's form. A file is of words when no token has U+2581 or is <space>. Errors name the line:
 * a line that is not TOKEN NUMBER, numbers out of order, a token twice, the first not <blank>. */
int units_read(units *u, const char *path, attn_error *error);
int units_parse(units *u, const char *text, size_t size, const char *name, attn_error *error);
int units_write(const units *u, const char *path, attn_error *error);
void units_free(units *u);

/* Of the functions above: orders the tokens that are there. A token twice is an error. */
int units_index(units *u, const char *name, attn_error *error);

/* The number of a token; -1 when there is none. */
long units_find(const units *u, const char *token);

/* labels (attn_free them) = the transcript, longest token first at each place. `id` names the utterance in the
 * error of a text that the units cannot write, which names the place. */
int units_encode(const units *u, const char *text, const char *id, int32_t **labels, size_t *count,
                 attn_error *error);

/* The text that labels mean, words with one space between; attn_free it. */
char *units_decode(const units *u, const int32_t *labels, size_t count, attn_error *error);

#endif
