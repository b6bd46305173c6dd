#include "harness/counters/validate/known_memory.h"

#include "harness/counters/validate/known_loops.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "attn/size.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SECTIONS = 4 }; /* a level's working set is this many times the one above */

static int prepare_memory(known_work *w, size_t bytes, bool small_pages, attn_error *error) {
    size_t have = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (bytes > have / 4)
        return 1;
    w->bytes = bytes;
    w->memory = attn_alloc(bytes, 1, "working set", error);
    if (!w->memory)
        return -1;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), skip = (page - (uintptr_t)w->memory % page) % page;
    if (small_pages && bytes > skip)
        madvise(w->memory + skip, bytes - skip, MADV_NOHUGEPAGE);
    memset(w->memory, 1, bytes);
    return 0;
}

/* A working set that makes known misses: not without knowing the caches. */
static int prepare_misses(known_work *w, size_t bytes, attn_error *error) {
    return bytes && w->cpu->line == KNOWN_LINE ? prepare_memory(w, bytes, false, error) : 1;
}

static size_t largest(const known_cpu *cpu) {
    return attn_larger(cpu->llc, cpu->l2);
}

static int prepare_in_l1(known_work *w, attn_error *error) {
    return prepare_memory(w, w->cpu->l1d ? w->cpu->l1d / 2 : 16 << 10, false, error);
}

static int prepare_beyond_l1(known_work *w, attn_error *error) {
    size_t next = w->cpu->l2 ? w->cpu->l2 : w->cpu->llc;
    size_t bytes = w->cpu->l1d * SECTIONS;
    return prepare_misses(w, bytes < next ? bytes : 0, error);
}

static int prepare_beyond_l2(known_work *w, attn_error *error) {
    size_t bytes = w->cpu->l2 * SECTIONS;
    return prepare_misses(w, bytes < w->cpu->llc ? bytes : 0, error);
}

/* LRU misses all of a quarter more than it holds: each set then has more lines than ways. Real caches are not that simple. */
static int prepare_beyond_caches(known_work *w, attn_error *error) {
    size_t bytes = largest(w->cpu);
    return prepare_misses(w, w->cpu->simulated ? bytes + bytes / 4 : bytes * SECTIONS, error);
}

static size_t lines_of(const known_work *w) {
    return w->bytes / KNOWN_LINE;
}

/* n times through the working set. */
static double run_read(known_work *w, size_t n) {
    for (size_t i = 0; i < n; i++)
        known_read(w->memory, lines_of(w));
    return 0;
}

static double run_read_vectors(known_work *w, size_t n) {
    for (size_t i = 0; i < n; i++)
        known_read_vectors(w->memory, lines_of(w));
    return 0;
}

static double run_write(known_work *w, size_t n) {
    for (size_t i = 0; i < n; i++)
        known_write(w->memory, lines_of(w));
    return 0;
}

static size_t answers_read_l1(const known_work *w, size_t n, known_answer *to) {
    double lines = (double)(n * lines_of(w));
    size_t count = answer_is(to, "instructions", lines * KNOWN_READ_INSTRUCTIONS);
    count += answer_is(to + count, "l1d_reads", 8 * lines);
    count += answer_none(to + count, "l1d_writes", 8 * lines);
    return count + answer_none(to + count, "l1d_misses", lines);
}

static size_t answers_read_vectors(const known_work *w, size_t n, known_answer *to) {
    return answer_is(to, "l1d_reads", (double)(n * lines_of(w) * known_vector_reads()));
}

static size_t answers_write(const known_work *w, size_t n, known_answer *to) {
    double lines = (double)(n * lines_of(w));
    size_t count = answer_is(to, "instructions", lines * KNOWN_WRITE_INSTRUCTIONS);
    count += answer_is(to + count, "l1d_writes", 8 * lines);
    return count + answer_none(to + count, "l1d_reads", 8 * lines);
}

/* A CPU that prefetches has no known number of misses here. */
static size_t answers_stream(const known_work *w, size_t n, known_answer *to) {
    double lines = (double)(n * lines_of(w));
    size_t count = answer_is(to, "l1d_reads", 8 * lines);
    if (!w->cpu->simulated)
        return count;
    bool fits = w->bytes < w->cpu->llc;
    count += answer_is(to + count, "l1d_misses", lines);
    count += answer_is(to + count, "llc_accesses", lines);
    count += fits ? answer_none(to + count, "llc_misses", lines) : answer_is(to + count, "llc_misses", lines);
    if (!fits)
        count += answer_is(to + count, "cold_bytes", lines * KNOWN_LINE);
    return count;
}

/* Pointers from each line to the next in a random order through all of them, which no CPU can foresee. */
static void tie(known_work *w, size_t stride) {
    size_t count = w->bytes / stride;
    uint64_t random = 11;
    for (size_t i = 0; i < count; i++)
        *(size_t *)(void *)(w->memory + i * stride) = i;
    for (size_t i = count - 1; i > 0; i--) { /* Sattolo: one cycle */
        size_t *a = (size_t *)(void *)(w->memory + i * stride);
        size_t *b = (size_t *)(void *)(w->memory + attn_random_below(&random, i) * stride);
        size_t swap = *a;
        *a = *b;
        *b = swap;
    }
    for (size_t i = 0; i < count; i++) {
        char *line = w->memory + i * stride;
        *(char **)(void *)line = w->memory + *(size_t *)(void *)line * stride;
    }
}

static int tied(known_work *w, int prepared, size_t stride) {
    if (!prepared)
        tie(w, stride);
    return prepared;
}

static int prepare_chase_l1(known_work *w, attn_error *error) {
    return tied(w, prepare_beyond_l1(w, error), KNOWN_LINE);
}

static int prepare_chase_l2(known_work *w, attn_error *error) {
    return tied(w, prepare_beyond_l2(w, error), KNOWN_LINE);
}

static int prepare_chase_caches(known_work *w, attn_error *error) {
    return tied(w, prepare_beyond_caches(w, error), KNOWN_LINE);
}

/* n times through all lines. */
static double run_chase(known_work *w, size_t n) {
    w->found = known_chase(w->memory, n * lines_of(w));
    return 0;
}

static size_t chase_answers(const known_work *w, size_t n, known_answer *to, const char *missing,
                            const char *hitting) {
    double steps = (double)(n * lines_of(w));
    size_t count = answer_is(to, missing, steps);
    if (hitting)
        count += answer_none(to + count, hitting, steps);
    return count + answer_is(to + count, "l1d_reads", steps);
}

static size_t answers_chase_l1(const known_work *w, size_t n, known_answer *to) {
    return chase_answers(w, n, to, "l1d_misses", w->cpu->l2 ? "l2_misses" : "llc_misses");
}

static size_t answers_chase_l2(const known_work *w, size_t n, known_answer *to) {
    return chase_answers(w, n, to, "l2_misses", "llc_misses");
}

/* A last level that resists thrashing, or replaces lines at random, keeps a part of what goes round, so that a
 * right counter reads less than a miss a step: 77% were seen of such caches at four times their size. */
static size_t answers_chase_caches(const known_work *w, size_t n, known_answer *to) {
    double steps = (double)(n * lines_of(w)), least = w->cpu->simulated ? steps : steps / 2;
    size_t count = answer_range(to, "llc_misses", least, steps);
    count += answer_range(to + count, "memory_fills", least, steps);
    count += answer_is(to + count, "l1d_reads", steps);
    return count + answer_is(to + count, "l1d_misses", steps);
}

/* ---- Lines flushed on purpose: no cache has them, however it replaces lines */

enum { FLUSHED_LINES = 1 << 12, FLUSHED_STRIDE = 2 * KNOWN_LINE };

static int prepare_flushed(known_work *w, attn_error *error) {
    if (w->cpu->simulated || w->cpu->line != KNOWN_LINE || !known_can_flush())
        return 1;
    return tied(w, prepare_memory(w, FLUSHED_LINES * FLUSHED_STRIDE, false, error), FLUSHED_STRIDE);
}

static double run_flushed(known_work *w, size_t n) {
    for (size_t i = 0; i < n; i++) {
        known_flush(w->memory, FLUSHED_LINES, FLUSHED_STRIDE);
        w->found = known_chase(w->memory, FLUSHED_LINES);
    }
    return 0;
}

/* Some CPUs bring in the neighbour of each line, and some of those count it. */
static size_t answers_flushed(const known_work *w, size_t n, known_answer *to) {
    double steps = (double)(n * FLUSHED_LINES);
    (void)w;
    size_t count = answer_range(to, "llc_misses", steps, 2 * steps);
    return count + answer_range(to + count, "memory_fills", steps, 2 * steps);
}

/* ---- Pages: far more of them than a TLB knows, one line of each */

enum { TLB_PAGES = 1 << 14, PAGE = 4096 };

static int prepare_chase_pages(known_work *w, attn_error *error) {
    if (sysconf(_SC_PAGESIZE) != PAGE)
        return 1;
    size_t stride = PAGE + KNOWN_LINE; /* not all in one set of the caches */
    return tied(w, prepare_memory(w, TLB_PAGES * stride, true, error), stride);
}

static double run_chase_pages(known_work *w, size_t n) {
    w->found = known_chase(w->memory, n * TLB_PAGES);
    return 0;
}

static size_t answers_chase_pages(const known_work *w, size_t n, known_answer *to) {
    if (w->cpu->simulated)
        return 0;
    return answer_is(to, "dtlb_misses", (double)(n * TLB_PAGES)) +
           answer_is(to + 1, "dtlb_walks", (double)(n * TLB_PAGES));
}

#define KERNEL(name, summary, n, prepare, run, answers)                                                      \
    const known_kernel known_kernel_##name = {#name, summary, true, n, prepare, run, answers}
KERNEL(read_l1, "reading half of the L1 cache over and over", 1 << 10, prepare_in_l1, run_read,
       answers_read_l1);
KERNEL(read_vectors, "the same by vectors", 1 << 10, prepare_in_l1, run_read_vectors, answers_read_vectors);
KERNEL(write_l1, "writing it", 1 << 10, prepare_in_l1, run_write, answers_write);
KERNEL(stream_l2, "reading what is too large for L1", 1 << 7, prepare_beyond_l1, run_read, answers_stream);
KERNEL(stream_memory, "reading what is too large for every cache", 1, prepare_beyond_caches, run_read,
       answers_stream);
KERNEL(chase_l1, "following pointers through what is too large for L1", 1 << 7, prepare_chase_l1, run_chase,
       answers_chase_l1);
KERNEL(chase_l2, "following pointers through what is too large for L2", 4, prepare_chase_l2, run_chase,
       answers_chase_l2);
KERNEL(chase_memory, "following pointers through what is too large for every cache", 1, prepare_chase_caches,
       run_chase, answers_chase_caches);
KERNEL(chase_flushed, "following pointers through lines that were flushed from every cache", 8,
       prepare_flushed, run_flushed, answers_flushed);
KERNEL(chase_pages, "following pointers through more pages than a TLB knows", 8, prepare_chase_pages,
       run_chase_pages, answers_chase_pages);
