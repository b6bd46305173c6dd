/* Members of JSON objects. `object` may be NULL, and what is absent is no error. */
#ifndef BASE_TEXT_JSON_H
#define BASE_TEXT_JSON_H

#include "attn/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The value in a regular file of at most `most` bytes; a key that stands twice is refused, too. json_decref it.
 * NULL and an error that names the file and the line on failure. */
json_t *json_read_file(const char *path, size_t most, attn_error *error);

/* Whether jansson read no value because memory was refused. */
bool json_lacked_memory(const json_error_t *why);

const char *json_text(const json_t *object, const char *key); /* "" when it is none */
bool json_text_is(const json_t *object, const char *key, const char *text);
double json_number(const json_t *object, const char *key); /* NaN when it is none */

/* What json_dumps returned, which is memory of jansson's allocator; NULL is fine. */
void json_free_text(char *text);

/* The value of "a.b.c": c of b of a; NULL when one of them is absent. */
const json_t *json_at(const json_t *object, const char *path);

/* JSON knows neither NaN nor infinity: null then. */
json_t *json_finite(double value);

/* [values[0], …]; what is not finite is left out. NULL when memory is refused. */
json_t *json_reals(const double *values, size_t n);

/* ATTN_ERROR_MEMORY, "WHAT: out of memory, or TEXT that is not UTF-8": the two reasons that a json_t could not
 * be made for. `what` may be NULL. Always -1. */
int json_not_made(attn_error *error, const char *what, const char *text);

#endif
