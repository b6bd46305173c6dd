/* Workspaces, laid out once. A layout function takes its pieces from an arena; run dry (attn_arena_dry) the
 * same function measures what it takes, run wet (attn_arena_wet) it hands out memory of the caller. Nothing
 * here allocates or fails: a total that does not fit a size_t stays SIZE_MAX, which no allocator gives.
 *
 *     static void layout(struct parts *p, attn_arena *arena, size_t rows) {
 *         p->scores = attn_arena_floats(arena, rows, p->keys);
 *         size_t mark = attn_arena_mark(arena);
 *         first_layout(&p->first, arena);
 *         attn_arena_release(arena, mark);      // second may use the same memory
 *         second_layout(&p->second, arena);
 *     }
 *
 * Under AddressSanitizer there are forbidden bytes behind each piece, so that a step beyond it is found, but
 * where pieces share memory with others that were given back. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size) ((void)(start), (void)(size))
#endif

enum { ATTN_ARENA_ALIGN = 64 }; /* bytes; every piece starts at a multiple of it */
#ifdef __SANITIZE_ADDRESS__
enum { ATTN_ARENA_GAP = 64 }; /* forbidden bytes behind each piece, at least */
#else
enum { ATTN_ARENA_GAP = 0 };
#endif

typedef struct attn_arena {
    char *memory; /* 64-byte aligned; NULL while measuring */
    size_t used;  /* bytes taken so far */
    size_t peak;  /* the most that were taken at once: what the memory must hold */
} attn_arena;

static inline attn_arena attn_arena_dry(void) {
    return (attn_arena){0};
}
static inline attn_arena attn_arena_wet(void *memory) {
    return (attn_arena){.memory = (char *)memory};
}

/* count * size bytes. NULL in a dry run (and for 0 bytes it is a valid address or NULL, not to be read). */
static inline void *attn_arena_take(attn_arena *arena, size_t count, size_t size) {
    size_t bytes, padded, end, start = arena->used;
    if (__builtin_mul_overflow(count, size, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)ATTN_ARENA_GAP + ATTN_ARENA_ALIGN - 1, &padded) ||
        __builtin_add_overflow(start, padded & ~((size_t)ATTN_ARENA_ALIGN - 1), &end))
        end = SIZE_MAX;
    bool is_shared = start < arena->peak;
    arena->used = end;
    if (arena->peak < end)
        arena->peak = end;
    if (!arena->memory)
        return NULL;
    ASAN_UNPOISON_MEMORY_REGION(arena->memory + start, bytes);
    if (!is_shared)
        ASAN_POISON_MEMORY_REGION(arena->memory + start + bytes, end - start - bytes);
    return arena->memory + start;
}

/* [rows, width] floats. */
static inline float *attn_arena_floats(attn_arena *arena, size_t rows, size_t width) {
    size_t count;
    if (__builtin_mul_overflow(rows, width, &count))
        count = SIZE_MAX;
    return (float *)attn_arena_take(arena, count, sizeof(float));
}

/* Pieces taken after a mark are given back together; peak remembers them. */
static inline size_t attn_arena_mark(const attn_arena *arena) {
    return arena->used;
}
static inline void attn_arena_release(attn_arena *arena, size_t mark) {
    if (arena->used == SIZE_MAX)
        return;
    if (arena->memory)
        ASAN_UNPOISON_MEMORY_REGION(arena->memory + mark, arena->used - mark);
    arena->used = mark;
}

#endif
