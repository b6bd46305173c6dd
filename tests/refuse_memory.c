/* Preloaded (LD_PRELOAD): the allocation number $REFUSE of a process fails. $REFUSE_COUNT: a file that gets the
 * number of allocations. $REFUSE_PLACES: a file that gets the numbers of the first and the last allocation of each place,
 * which is a chain of calls. A crash prints "CRASH in FILE", the innermost file of code that is not the C library's; with
 * $REFUSE_SAY the refused allocation prints "REFUSED in FILE", too. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static long refuse_at;
static atomic_long count;
static int on;

static int refused(void);

void *malloc(size_t size) {
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    return refused() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    return refused() ? NULL : __libc_realloc(old, size);
}

static int says_nothing(const char *file) {
    static const char *const common[] = {"libc.so",   "libstdc++",  "libgcc",
                                         "refuse.so", "linux-vdso", "ld-linux"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strstr(file, common[i]))
            return 1;
    return 0;
}

/* "WHAT in FILE" on stderr. */
static void say_where(const char *what) {
    void *frames[64];
    int n = backtrace(frames, 64);
    const char *file = "unknown";
    for (int i = 0; i < n; i++) {
        Dl_info info;
        if (dladdr(frames[i], &info) && info.dli_fname && !says_nothing(info.dli_fname)) {
            file = info.dli_fname;
            break;
        }
    }
    dprintf(STDERR_FILENO, "\n%s in %s\n", what, file);
}

/* Open addressing on the hash of the calls. */
static struct place {
    uint64_t calls;
    long first, last;
} places[1 << 16];
static int notes_places;

static void note_place(long number) {
    void *frames[48];
    uint64_t hash = 0xcbf29ce484222325U;
    on = 0;
    int n = backtrace(frames, 48);
    on = 1;
    for (int i = 0; i < n; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 0x9e3779b97f4a7c15U, hash ^= hash >> 29;
    size_t at = hash % (sizeof places / sizeof *places);
    while (places[at].first && places[at].calls != hash)
        at = (at + 1) % (sizeof places / sizeof *places);
    if (!places[at].first)
        places[at] = (struct place){hash, number, number};
    places[at].last = number;
}

static int refused(void) {
    if (!on)
        return 0;
    long number = ++count;
    if (notes_places)
        note_place(number);
    if (number != refuse_at)
        return 0;
    on = 0;
    if (getenv("REFUSE_SAY"))
        say_where("REFUSED");
    on = 1;
    errno = ENOMEM;
    return 1;
}

static void crashed(int number) {
    on = 0;
    signal(number, SIG_DFL);
    say_where("CRASH");
    _exit(128 + number);
}

__attribute__((constructor)) static void begin(void) {
    const char *nth = getenv("REFUSE");
    void *frame;
    backtrace(&frame, 1); /* allocates the first time */
    notes_places = getenv("REFUSE_PLACES") != NULL;
    refuse_at = nth ? atol(nth) : 0;
    signal(SIGSEGV, crashed);
    signal(SIGABRT, crashed);
    signal(SIGBUS, crashed);
    signal(SIGFPE, crashed);
    on = 1;
}

static int open_file_in(const char *variable) {
    const char *path = getenv(variable);
    return path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
}

static void write_places(int fd) {
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].first)
            dprintf(fd, "%ld\n", places[i].first);
        if (places[i].last != places[i].first)
            dprintf(fd, "%ld\n", places[i].last);
    }
    close(fd);
}

__attribute__((destructor)) static void end(void) {
    on = 0;
    int fd = open_file_in("REFUSE_COUNT");
    if (fd >= 0) {
        dprintf(fd, "%ld\n", (long)count);
        close(fd);
    }
    if ((fd = open_file_in("REFUSE_PLACES")) >= 0)
        write_places(fd);
}
