/* How a text ends. */
#ifndef BASE_TEXT_ENDING_H
#define BASE_TEXT_ENDING_H

#include <stdbool.h>
#include <string.h>

static inline bool text_ends(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && !strcmp(text + length - tail, ending);
}

#endif
