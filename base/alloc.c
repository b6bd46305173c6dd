#include "attn/alloc.h"
#include "attn/size.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, FIRST_ROOM = 16 };

/* Sits in the 64 bytes before each block. calloc is kept (not aligned_alloc) because it maps zero pages
 * lazily. */
typedef struct header {
    void *base;
    size_t size;
    struct header *next, **link; /* the blocks now held; what points to this one */
} header;

static header *held;
static pthread_mutex_t holding = PTHREAD_MUTEX_INITIALIZER;

static atomic_size_t live_bytes, peak_bytes;
static atomic_size_t refuse_in;

static header *header_of(const void *block) {
    return (header *)((uintptr_t)block - sizeof(header));
}

static void hold(header *h) {
    pthread_mutex_lock(&holding);
    h->next = held;
    h->link = &held;
    if (held)
        held->link = &h->next;
    held = h;
    pthread_mutex_unlock(&holding);
}

static void let_go(header *h) {
    pthread_mutex_lock(&holding);
    *h->link = h->next;
    if (h->next)
        h->next->link = h->link;
    pthread_mutex_unlock(&holding);
}

void attn_alloc_visit(void (*visit)(void *context, const void *block, size_t size), void *context) {
    pthread_mutex_lock(&holding);
    for (const header *h = held; h; h = h->next)
        visit(context, (const char *)h + sizeof *h, h->size);
    pthread_mutex_unlock(&holding);
}

static int refused(void) {
    size_t left = atomic_load(&refuse_in);
    if (left == 0)
        return 0;
    atomic_store(&refuse_in, left - 1);
    return left == 1;
}

void attn_alloc_fail_at(size_t nth) {
    atomic_store(&refuse_in, nth);
}

int attn_multiply(size_t *product, size_t a, size_t b) {
    return __builtin_mul_overflow(a, b, product) ? -1 : 0;
}

int attn_add(size_t *sum, size_t a, size_t b) {
    return __builtin_add_overflow(a, b, sum) ? -1 : 0;
}

static void raise_peak(size_t live) {
    size_t peak = atomic_load(&peak_bytes);
    while (live > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, live))
        ;
}

/* Weights and caches are read from end to end: in huge pages the CPU looks their addresses up less often, and prefetches
 * beyond 4 KiB. Only a hint: a system without huge pages is no failure. */
static void ask_for_huge_pages(void *base, size_t size) {
#ifdef MADV_HUGEPAGE
    uintptr_t first = ((uintptr_t)base + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    uintptr_t end = ((uintptr_t)base + size) / HUGE_PAGE * HUGE_PAGE;
    if (end > first)
        (void)madvise((char *)base + (first - (uintptr_t)base), end - first, MADV_HUGEPAGE);
#else
    (void)base, (void)size;
#endif
}

void *attn_alloc(size_t count, size_t size, const char *what, attn_error *error) {
    size_t bytes, total;
    if (attn_multiply(&bytes, count, size) || attn_add(&total, bytes, ALIGNMENT + sizeof(header)) ||
        total > PTRDIFF_MAX) {
        attn_fail(error, "%s: %zu x %zu bytes is more than can be addressed", what, count, size);
        return NULL;
    }
    void *base = refused() ? NULL : calloc(1, total);
    if (!base) {
        attn_fail_as(error, ATTN_ERROR_MEMORY, "%s: out of memory (%zu bytes)", what, bytes);
        return NULL;
    }
    if (bytes >= ATTN_ALLOC_LARGE)
        ask_for_huge_pages(base, total);
    uintptr_t start = ((uintptr_t)base + sizeof(header) + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
    void *block = (void *)start;
    *header_of(block) = (header){.base = base, .size = bytes};
    hold(header_of(block));
    raise_peak(atomic_fetch_add(&live_bytes, bytes) + bytes);
    return block;
}

void *attn_realloc(void *block, size_t count, size_t size, const char *what, attn_error *error) {
    void *grown = attn_alloc(count, size, what, error);
    if (!grown || !block)
        return grown;
    size_t keep = attn_alloc_size(block), now = attn_alloc_size(grown);
    memcpy(grown, block, attn_smaller(keep, now));
    attn_free(block);
    return grown;
}

void *attn_grown(void *block, size_t count, size_t size, const char *what, attn_error *error) {
    size_t room = attn_alloc_size(block) / size;
    return count < room ? block : attn_realloc(block, room ? 2 * room : FIRST_ROOM, size, what, error);
}

void attn_free(void *block) {
    if (!block)
        return;
    let_go(header_of(block));
    header h = *header_of(block);
    atomic_fetch_sub(&live_bytes, h.size);
    free(h.base);
}

size_t attn_alloc_size(const void *block) {
    return block ? header_of(block)->size : 0;
}

size_t attn_alloc_live(void) {
    return atomic_load(&live_bytes);
}

size_t attn_alloc_peak(void) {
    return atomic_load(&peak_bytes);
}

void attn_alloc_peak_restart(void) {
    atomic_store(&peak_bytes, atomic_load(&live_bytes));
}

char *attn_strdup(const char *text, attn_error *error) {
    return attn_format(error, "%s", text);
}

char *attn_format(attn_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        attn_fail(error, "text could not be formatted");
        return NULL;
    }
    char *text = attn_alloc((size_t)length + 1, 1, "text", error);
    if (!text)
        return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}
