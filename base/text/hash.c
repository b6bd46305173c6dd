#include "base/text/hash.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t step(uint64_t hash, unsigned char byte) {
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = step(hash, (unsigned char)*text);
    return step(hash, 0);
}

void hash_name(char name[HASH_NAME], uint64_t hash) {
    snprintf(name, HASH_NAME, "fnv1a:%016" PRIx64, hash);
}
