/* Preloaded (LD_PRELOAD): the allocation number $REFUSE of a process fails. $REFUSE_COUNT: a file that gets the
 * number of allocations. A crash prints "CRASH in FILE", the innermost file of code that is not the C library's; with
 * $REFUSE_SAY the refused allocation prints "REFUSED in FILE", too. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
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

static int refused(void) {
    if (!on || ++count != refuse_at)
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
    refuse_at = nth ? atol(nth) : 0;
    signal(SIGSEGV, crashed);
    signal(SIGABRT, crashed);
    signal(SIGBUS, crashed);
    signal(SIGFPE, crashed);
    on = 1;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("REFUSE_COUNT");
    on = 0;
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd >= 0) {
        dprintf(fd, "%ld\n", (long)count);
        close(fd);
    }
}
