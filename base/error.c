#include "attn/error.h"

#include <stdarg.h>
#include <stdio.h>

static int record(attn_error *error, attn_error_code code, const char *format, va_list arguments) {
    if (!error || error->code != ATTN_ERROR_NONE)
        return -1;
    error->code = code;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    for (char *c = error->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' '; /* file names and library messages may carry line breaks or escape codes */
    return -1;
}

int attn_fail(attn_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    record(error, ATTN_ERROR_INPUT, format, arguments);
    va_end(arguments);
    return -1;
}

int attn_fail_as(attn_error *error, attn_error_code code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    record(error, code, format, arguments);
    va_end(arguments);
    return -1;
}

int attn_no_memory(attn_error *error, const char *what) {
    return attn_fail_as(error, ATTN_ERROR_MEMORY, "%s%sout of memory", what ? what : "", what ? ": " : "");
}
