#include "base/text/hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static uint64_t step(uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = step(hash, (unsigned char)*text);
    return step(hash, 0);
}

/* Words of 32 bits instead of bytes, and high bits back to the low ones, which a product leaves alone. */
uint64_t hash_floats(const float *values, size_t n) {
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        hash = (hash ^ bits) * UINT64_C(0x100000001b3);
        hash ^= hash >> 32;
    }
    return (hash >> 11) | 1;
}

int hash_file_state(uint64_t *hash, const char *path, attn_error *error) {
    struct stat s;
    char numbers[80];
    if (stat(path, &s))
        return attn_fail(error, "%s: %s", path, strerror(errno));
    snprintf(numbers, sizeof numbers, "%lld %lld.%09ld", (long long)s.st_size, (long long)s.st_mtim.tv_sec,
             s.st_mtim.tv_nsec);
    *hash = hash_text(hash_text(*hash, path), numbers);
    return 0;
}

void hash_name(char name[HASH_NAME], uint64_t hash) {
    snprintf(name, HASH_NAME, "fnv1a:%016" PRIx64, hash);
}
