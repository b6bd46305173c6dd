/* A file of lines of JSON that grows while a long command works, next to what that writes at its end. A kill leaves
 * whole lines and at most a piece of one, which is cut off when the file is opened again. */
#ifndef HARNESS_RESULTS_JOURNAL_FILE_H
#define HARNESS_RESULTS_JOURNAL_FILE_H

#include "attn/error.h"

#include <jansson.h>
#include <sys/types.h>

typedef struct journal_file {
    char *path;
    int fd;     /* -1: not open */
    off_t size; /* of the complete lines */
} journal_file;

/* -1: the path exists and is not a regular file. Journals, and results that have one, must be regular files. */
int journal_file_regular(const char *path, attn_error *error);

/* RESULTS.journal; journal_file_close it, after a failure too. */
int journal_file_init(journal_file *j, const char *results, attn_error *error);
void journal_file_close(journal_file *j); /* the file stays */

/* Makes the file if it is not there, and locks it against others. */
int journal_file_open(journal_file *j, attn_error *error);

/* Gives the complete lines to `take` until that returns -1; numbers count from 1. NULL is one that is not JSON, or
 * the beginning of a file that is no journal. */
typedef int journal_take(void *context, json_t *line, size_t number, attn_error *error);
int journal_file_read(journal_file *j, journal_take *take, void *context, attn_error *error);

/* Cuts off what follows the lines that were read: all of it when none was. */
int journal_file_cut(journal_file *j, attn_error *error);

/* The line (which it takes over; NULL: out of memory) is on the disk when it returns, whole or not at all. */
int journal_file_append(journal_file *j, json_t *line, attn_error *error);

/* Now, as ISO 8601. */
enum { JOURNAL_DATE = 32 };
void journal_file_now(char date[JOURNAL_DATE]);

/* After the first line: its name is on the disk, too. */
int journal_file_begun(journal_file *j, attn_error *error);

#endif
