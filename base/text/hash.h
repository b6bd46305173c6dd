/* Names for things that must not be mixed up (plans, machines): 64-bit FNV-1a. Two of them that differ by
 * accident get different names; it is no protection against malice. */
#ifndef BASE_TEXT_HASH_H
#define BASE_TEXT_HASH_H

#include "attn/error.h"

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Continues `hash` over the text and one separator, so that "ab","c" and "a","bc" differ. */
uint64_t hash_text(uint64_t hash, const char *text);

/* A hash of the numbers' bits, from 1 to 2^53 - 1, so that a double holds it. */
uint64_t hash_floats(const float *values, size_t n);

/* Continues `hash` over a file's path, size and time of change: a file that is written again has another hash. */
int hash_file_state(uint64_t *hash, const char *path, attn_error *error);

enum { HASH_NAME = 24 };
/* "fnv1a:" and 16 hexadecimal digits. */
void hash_name(char name[HASH_NAME], uint64_t hash);

#endif
