/* Text made piece by piece in a buffer of the caller. What does not fit is cut. */
#ifndef BASE_TEXT_APPEND_H
#define BASE_TEXT_APPEND_H

#include <stdarg.h>
#include <stddef.h>

/* Formatted text at the end of the text in a buffer of `size` bytes. */
void text_append(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

void text_vappend(char *text, size_t size, const char *format, va_list arguments);

/* A member of a list: "a, b". Nothing stands before the first one. */
void text_list(char *text, size_t size, const char *separator, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
