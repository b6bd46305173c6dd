#include "base/process/system_file.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool system_file_line(char *line, size_t size, const char *path, ...) {
    char whole[512];
    va_list arguments;
    va_start(arguments, path);
    int length = vsnprintf(whole, sizeof whole, path, arguments);
    va_end(arguments);
    FILE *stream = length > 0 && (size_t)length < sizeof whole ? fopen(whole, "r") : NULL;
    bool found = stream && fgets(line, (int)size, stream);
    if (stream)
        fclose(stream);
    line[found ? strcspn(line, "\n") : 0] = '\0';
    return found;
}

bool system_list_next(const char **list, long *first, long *last) {
    char *end;
    if (!isdigit((unsigned char)**list))
        return false;
    *first = *last = strtol(*list, &end, 10);
    if (*end == '-')
        *last = strtol(end + 1, &end, 10);
    *list = *end == ',' ? end + 1 : end;
    return true;
}
