#include "base/text/append.h"

#include <stdio.h>
#include <string.h>

void text_vappend(char *text, size_t size, const char *format, va_list arguments) {
    size_t used = strnlen(text, size);
    if (used < size)
        vsnprintf(text + used, size - used, format, arguments);
}

void text_append(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_vappend(text, size, format, arguments);
    va_end(arguments);
}

void text_list(char *text, size_t size, const char *separator, const char *format, ...) {
    va_list arguments;
    if (*text)
        text_append(text, size, "%s", separator);
    va_start(arguments, format);
    text_vappend(text, size, format, arguments);
    va_end(arguments);
}
