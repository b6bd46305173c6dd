/* Linked into every program with AddressSanitizer. Its runtime has tables of 5 MiB, which it reads and writes here and there,
 * and searches as a whole for pointers when the program ends. Huge pages save 1,400 page faults, an eighth of the time to
 * start and end a program. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

extern char __bss_start[], _end[];

const char *__asan_default_options(void);

__attribute__((no_sanitize("address", "undefined"))) const char *__asan_default_options(void) {
    uintptr_t page = (uintptr_t)getpagesize(), first = (uintptr_t)__bss_start / page * page;
    /* Where there are none, nothing is different. */
    madvise((void *)first, (uintptr_t)_end - first, MADV_HUGEPAGE);
    return "";
}
