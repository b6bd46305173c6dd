#include "bench/limits/pages.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const size_t HUGE_PAGE = 2 << 20;

/* Bytes in huge pages of the mapping that holds `at`, as the kernel reports them; 0 when it does not. */
static size_t huge_bytes(const void *at) {
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    bool inside = false;
    size_t kib = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        unsigned long low, high;
        if (sscanf(line, "%lx-%lx ", &low, &high) == 2)
            inside = low <= (uintptr_t)at && (uintptr_t)at < high;
        else if (inside && sscanf(line, "AnonHugePages: %zu kB", &kib) == 1)
            break;
    }
    if (maps)
        fclose(maps);
    return kib << 10;
}

int pages_map(pages *p, size_t size, unsigned which, attn_error *error) {
    *p = (pages){.size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE};
    p->mapped_size = p->size + HUGE_PAGE;
    p->mapped = mmap(NULL, p->mapped_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p->mapped == MAP_FAILED) {
        p->mapped = NULL;
        return attn_fail_as(error, ATTN_ERROR_MEMORY, "working set of %zu bytes: %s", size, strerror(errno));
    }
    uintptr_t start = ((uintptr_t)p->mapped + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    p->memory = (char *)p->mapped + (start - (uintptr_t)p->mapped);
    int refused = madvise(p->memory, p->size, which == PAGES_HUGE ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    if (refused && which == PAGES_HUGE)
        return attn_fail_as(error, ATTN_ERROR_UNSUPPORTED, "pages: this kernel has no huge pages (%s)",
                            strerror(errno));
    memset(p->memory, 0, p->size);
    size_t got = which == PAGES_HUGE ? huge_bytes(p->memory) : p->size;
    if (got < p->size / 10 * 9)
        return attn_fail_as(error, ATTN_ERROR_UNSUPPORTED,
                            "pages: the kernel gave %zu of %zu MiB in huge pages", got >> 20, p->size >> 20);
    return 0;
}

void pages_free(pages *p) {
    if (p->mapped)
        munmap(p->mapped, p->mapped_size);
    *p = (pages){0};
}
