#!/usr/bin/env bash
# Memory that is refused while options are read: a message, and no crash.
. "$(dirname "$0")/../support/check.sh"

cat >"$scratch/refuse.c" <<'C'
#include <errno.h>
#include <stdlib.h>
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
static long left = -1;
__attribute__((constructor)) static void begin(void) {
    const char *nth = getenv("REFUSE");
    left = nth ? atol(nth) : -1;
}
static int refused(void) {
    if (left < 0 || left-- != 1)
        return 0;
    errno = ENOMEM;
    return 1;
}
void *malloc(size_t size) { return refused() ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return refused() ? NULL : __libc_calloc(n, size); }
C
if nm "$ATTNBENCH" 2>/dev/null | grep -q __asan_init || ! cc -shared -fPIC -o "$scratch/refuse.so" "$scratch/refuse.c" 2>/dev/null; then
    echo "[  SKIPPED ] refused memory: a sanitizer owns malloc, or there is no compiler"
    exit 0
fi
refuse() { # COMMAND NTH: how it ends
    REFUSE=$2 LD_PRELOAD=$scratch/refuse.so "$ATTNBENCH" $1 --no-such-option >"$scratch/out" 2>"$scratch/err"
    echo $?
}
for command in features forward compare bench; do
    crashed=
    for nth in 1 2 3 4 5 6 7 8; do
        [ "$(refuse $command $nth)" -lt 128 ] || crashed="$crashed $nth"
    done
    check "$command: the first allocations may fail${crashed:+, but for}$crashed" [ -z "$crashed" ]
done
exit $failed
