/* Whole files in, whole files out: a reader never sees half a file under its final name. */
#ifndef ATTN_FILE_H
#define ATTN_FILE_H

#include "attn/error.h"

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a regular file for reading; `size` gets its bytes. Refuses folders, devices and pipes (and never
 * waits for the other end of one). NULL and an error naming the path on failure; fclose it. */
FILE *attn_input_open(const char *path, size_t *size, attn_error *error);

/* The file's bytes plus a terminating NUL that `size` (may be NULL) does not count. attn_free it. Refuses
 * folders and files over `limit` bytes. NULL and an error naming the path on failure. */
char *attn_read_file(const char *path, size_t limit, size_t *size, attn_error *error);

/* A file being written: bytes go to `PATH.tmp.PID.N`, a new file, which becomes PATH only in attn_output_commit. A
 * symbolic link is followed: the file that it leads to is replaced that way, and the link stays. */
typedef struct attn_output {
    FILE *stream;                    /* write here; errors are found at commit */
    char *path, *target, *temporary; /* as given, behind links, and where bytes go until commit */
} attn_output;

/* Whether a path can be written, with nothing left behind or opened that others read: before long work. */
int attn_output_try(const char *path, attn_error *error);

int attn_output_open(attn_output *output, const char *path, attn_error *error);
/* Flushes, syncs, closes and renames. On failure nothing is left behind. The output is closed either way. */
int attn_output_commit(attn_output *output, attn_error *error);
/* Drops what was written; does nothing after commit. Call it in every clean-up. */
void attn_output_discard(attn_output *output);

/* Takes back a file that was committed: removes what the path, or the link that it is, leads to. Devices
 * stay. */
void attn_output_remove(const char *path);

/* A file of these bytes: attn_output_open, the bytes, attn_output_commit. */
int attn_write_file(const char *path, const void *bytes, size_t size, attn_error *error);

/* Creates a folder and its parents; an existing one is fine. */
int attn_make_folder(const char *path, attn_error *error);
/* Whether that can be done and files written there, with nothing made: before long work. */
int attn_folder_try(const char *path, attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
