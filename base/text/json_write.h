/* JSON for people and files: with a line feed at its end. `flags` are jansson's (JSON_INDENT and others). */
#ifndef BASE_TEXT_JSON_WRITE_H
#define BASE_TEXT_JSON_WRITE_H

#include "attn/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/* 0, or -1 and "WHAT cannot be written". NULL is a value that there was no memory for: ATTN_ERROR_MEMORY. */
int json_print(const json_t *value, size_t flags, const char *what, FILE *stream, attn_error *error);

/* The same into a file that is replaced in one step (attn/file.h). */
int json_write_file(const char *path, const json_t *value, size_t flags, attn_error *error);

#endif
