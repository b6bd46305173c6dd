#include "bench/evict.h"

#include "attn/alloc.h"

#include <stddef.h>

#if defined(__x86_64__)

#include <emmintrin.h>

enum { LINE = 64 };

static void flush(void *context, const void *block, size_t size) {
    (void)context;
    for (size_t i = 0; i < size; i += LINE)
        _mm_clflush((const char *)block + i);
}

void bench_evict(void) {
    attn_alloc_visit(flush, NULL);
    _mm_mfence();
}

#else

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t largest_cache(void) {
    long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE), l3 = sysconf(_SC_LEVEL3_CACHE_SIZE), least = 16 << 20;
    long largest = l2 > l3 ? l2 : l3;
    return (size_t)(largest > least ? largest : least);
}

void bench_evict(void) {
    static unsigned char value;
    size_t size = 4 * largest_cache();
    unsigned char *buffer = malloc(size);
    if (!buffer)
        abort(); /* a warm cache must not pass for a cold one */
    memset(buffer, ++value, size);
    __asm__ volatile("" : : "r"(buffer) : "memory");
    free(buffer);
}

#endif
