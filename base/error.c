#include "attn/error.h"

#include <stdarg.h>
#include <stdio.h>

int attn_fail(attn_error *error, const char *format, ...) {
    if (!error || error->message[0])
        return -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    for (char *c = error->message; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' '; /* file names and library messages may carry line breaks or escape codes */
    return -1;
}
