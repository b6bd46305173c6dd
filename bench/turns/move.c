#define _GNU_SOURCE /* mremap */
#include "bench/turns/move.h"

#include "attn/alloc.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Address space without memory, that pages which were left move to. */
enum { MOVES_KEPT = 32 };
static char *attic;
static size_t attic_used;
#define ATTIC_SIZE (MOVES_KEPT * BENCH_MOVE_MOST)

typedef struct span {
    char *first;
    size_t size;
} span;

static span pages_of(const void *block, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)block;
    uintptr_t first = (begin + page - 1) / page * page, end = (begin + size) / page * page;
    return (span){(char *)block + (first - begin), end > first ? end - first : 0};
}

static void add_size(void *context, const void *block, size_t size) {
    *(size_t *)context += pages_of(block, size).size;
}

static void *map(size_t size, int protection, int flags) {
    void *at = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

#ifdef MREMAP_FIXED

/* Takes the pages at `from`, and puts them in place of what is at `to`. */
static bool put(char *from, char *to, size_t size) {
    return mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED;
}

static int find_code(struct dl_phdr_info *program, size_t size, void *code) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    for (size_t i = 0; i < program->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &program->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X) || !(part->p_flags & PF_R))
            continue;
        uintptr_t begin = program->dlpi_addr + part->p_vaddr, first = begin / page * page;
        *(span *)code = (span){(char *)first, (begin + part->p_memsz - first + page - 1) / page * page};
    }
    return 1; /* the first is this program */
}

/* No memcpy: constants may lie in between, and the address sanitizer keeps a watch over the space around those. */
__attribute__((no_sanitize_address)) static void copy_code(char *to, const char *from, size_t size) {
    const volatile uint64_t *words = (const volatile uint64_t *)(const void *)from;
    for (size_t i = 0; i < size / sizeof *words; i++)
        ((uint64_t *)(void *)to)[i] = words[i];
}

void bench_move_code(void) {
    span s = {0};
    dl_iterate_phdr(find_code, &s);
    char *fresh = s.size ? map(s.size, PROT_READ | PROT_WRITE, 0) : NULL;
    if (!fresh)
        return;
    madvise(fresh, s.size, MADV_NOHUGEPAGE); /* as those of a file are */
    copy_code(fresh, s.first, s.size);
    __builtin___clear_cache(fresh, fresh + s.size); /* Arm: instructions are fetched past what was written */
    if (mprotect(fresh, s.size, PROT_READ | PROT_EXEC) || !put(fresh, s.first, s.size))
        munmap(fresh, s.size);
}

/* Reserves a part of the attic again. A move there that fails may have unmapped it (Linux before 6.17 moves no pages of
 * several mappings, and says so after that): what the system then puts there, the next move would overwrite. */
static void keep_free(char *left, size_t size) {
    (void)mmap(left, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static void move_block(void *context, const void *block, size_t size) {
    span s = pages_of(block, size);
    size_t *moved = context;
    bool movable = s.size && size < ATTN_ALLOC_LARGE;
    char *fresh = movable ? map(s.size, PROT_READ | PROT_WRITE, MAP_POPULATE) : NULL;
    if (!fresh)
        return;
    memcpy(fresh, s.first, s.size);
    char *left = attic + attic_used;
    if (!put(s.first, left, s.size)) {
        keep_free(left, s.size);
        munmap(fresh, s.size);
        return;
    }
    if (!put(fresh, s.first, s.size)) { /* back again */
        if (put(left, s.first, s.size))
            keep_free(left, s.size);
        munmap(fresh, s.size);
        return;
    }
    attic_used += s.size;
    *moved += s.size;
}

#else

void bench_move_code(void) {
}

static void move_block(void *context, const void *block, size_t size) {
    (void)context, (void)block, (void)size;
}

#endif

size_t bench_move(void) {
    size_t size = 0, moved = 0;
    attn_alloc_visit(add_size, &size);
    if (!attic)
        attic = map(ATTIC_SIZE, PROT_NONE, MAP_NORESERVE);
    if (!size || size > BENCH_MOVE_MOST || !attic || attic_used + size > ATTIC_SIZE)
        return 0;
    attn_alloc_visit(move_block, &moved);
    return moved;
}

void bench_move_forget(void) {
    if (attic)
        munmap(attic, ATTIC_SIZE);
    attic = NULL;
    attic_used = 0;
}
