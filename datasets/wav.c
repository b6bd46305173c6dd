#include "datasets/wav.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { HEAD = 8, FORM = 12 };                     /* bytes of a chunk's head, and of the file's */
static const uint32_t SIZE_UNKNOWN = 0x7ffff000u; /* this and all above */

static uint32_t little(const unsigned char *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Leaves the file behind the head of the chunk of samples; false when there is none. */
static bool find_samples(FILE *file, uint32_t *size) {
    unsigned char head[FORM];
    if (fread(head, 1, FORM, file) != FORM || memcmp(head, "RIFF", 4))
        return false;
    while (fread(head, 1, HEAD, file) == HEAD) {
        *size = little(head + 4);
        if (!memcmp(head, "data", 4))
            return true;
        if (fseeko(file, (off_t)*size + *size % 2, SEEK_CUR))
            return false;
    }
    return false;
}

int wav_check_whole(const char *path, attn_error *error) {
    uint32_t size;
    FILE *file = fopen(path, "rb");
    if (!file)
        return attn_fail(error, "%s: cannot be read: %s", path, strerror(errno));
    int result = 0;
    if (find_samples(file, &size) && size < SIZE_UNKNOWN) {
        off_t begin = ftello(file);
        off_t end = fseeko(file, 0, SEEK_END) ? -1 : ftello(file);
        if (begin >= 0 && end >= 0 && end - begin < (off_t)size)
            result = attn_fail(error, "%s: cut short: %lld bytes of samples, its header says %lu", path,
                               (long long)(end - begin), (unsigned long)size);
    }
    fclose(file);
    return result;
}
