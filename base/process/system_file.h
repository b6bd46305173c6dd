/* Files of /proc and /sys: most are one line. */
#ifndef BASE_PROCESS_SYSTEM_FILE_H
#define BASE_PROCESS_SYSTEM_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The first line of the file of that path, without its line feed, cut to what `size` bytes hold. False, and "", where
 * there is none. */
bool system_file_line(char *line, size_t size, const char *path, ...) __attribute__((format(printf, 3, 4)));

/* Reads the next number or range of a list such as "0-3,8" and moves *list behind it; false at the end. */
bool system_list_next(const char **list, long *first, long *last);

#endif
