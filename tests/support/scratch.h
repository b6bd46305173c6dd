/* A scratch folder for one test program, removed when it ends. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* The path of `name` in the scratch folder; valid until the eighth call after it. */
const char *scratch_path(const char *name);

/* Writes a file there and returns its path. */
const char *scratch_file(const char *name, const void *bytes, size_t size);

/* How many files the folder holds. */
size_t scratch_count(void);

#endif
