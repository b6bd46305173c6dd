#include "base/text/utf8.h"

#include "attn/alloc.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* How many bytes a character takes that starts with this one; 0: none does. */
static size_t length_of(unsigned char first) {
    return first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
}

/* How many of the bytes from here on are those of one character; as many as it takes, when it is whole. */
static size_t whole_part(const char *text, size_t length) {
    uint32_t value = (unsigned char)text[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            return i;
        value = value << 6 | ((unsigned char)text[i] & 0x3F);
    }
    bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    return overlong || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000) ? 1 : length;
}

void utf8_mend(char *text) {
    char *to = text;
    while (*text) {
        size_t length = length_of((unsigned char)*text),
               whole = length > 1 ? whole_part(text, length) : length;
        if (length && whole == length) {
            memmove(to, text, length);
            to += length;
            text += length;
        } else if (length && !text[whole]) {
            break; /* the end came within it */
        } else {
            *to++ = '?';
            text++;
        }
    }
    *to = '\0';
}

bool utf8_is(const char *text) {
    for (size_t length; *text; text += length) {
        length = length_of((unsigned char)*text);
        if (!length || (length > 1 && whole_part(text, length) != length))
            return false;
    }
    return true;
}

json_t *utf8_json(const char *text) {
    char *copy = attn_strdup(text, NULL);
    if (!copy)
        return NULL;
    utf8_mend(copy);
    json_t *string = json_string(copy);
    attn_free(copy);
    return string;
}

json_t *utf8_sprintf(const char *format, ...) {
    char text[2000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return utf8_json(text);
}
