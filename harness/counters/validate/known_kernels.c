#include "harness/counters/validate/known_kernels.h"

#include "base/clock.h"
#include "harness/counters/source/callgrind.h"
#include "harness/counters/validate/known_loops.h"
#include "harness/machine/machine.h"

#include "attn/alloc.h"
#include "attn/random.h"
#include "attn/size.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { LONG_RUN = 1 << 17 }; /* rounds: next to them, starting and stopping counters takes little */
enum { SECTIONS = 4 }; /* of the memory kernels: a level's working set is this many times the one above */

static size_t answer(known_answer *to, const char *event, double expected) {
    *to = (known_answer){event, expected, expected, expected};
    return 1;
}

static size_t range(known_answer *to, const char *event, double least, double most) {
    *to = (known_answer){event, most, least, most};
    return 1;
}

static size_t none(known_answer *to, const char *event, double of) {
    *to = (known_answer){event, 0, 0, of};
    return 1;
}

/* ---- Arithmetic */

static int prepare_nothing(known_work *w, attn_error *error) {
    (void)w, (void)error;
    return 0;
}

static double run_adds(known_work *w, size_t n) {
    (void)w;
    known_adds(n);
    return 0;
}

/* A CPU adds once a cycle when each addition needs the one before. */
static size_t answers_adds(const known_work *w, size_t n, known_answer *to) {
    double rounds = (double)n;
    size_t count = answer(to, "instructions", rounds * KNOWN_ADDS_INSTRUCTIONS);
    count += answer(to + count, "branches", rounds);
    count += none(to + count, "branch_misses", rounds);
    if (!w->cpu->simulated)
        count += answer(to + count, "cycles", w->cpu->emulated ? w->ns : rounds * KNOWN_ADDS);
    return count;
}

/* Names of the events that count instructions of a width, each multiply-add twice; and of all FLOPs. */
static size_t answers_multiply_add(size_t rounds, size_t lanes, const char *of_width, known_answer *to) {
    double operations = 8.0 * (double)rounds * (known_is_fused() ? 2 : 1);
    size_t count = answer(to, "instructions", (double)rounds * KNOWN_MULTIPLY_ADD_INSTRUCTIONS);
    count += answer(to + count, "sp_flops", operations * (double)lanes);
    count += answer(to + count, "fp_any", operations * (double)lanes);
    count += none(to + count, "dp_flops", operations * (double)lanes);
    return count + answer(to + count, of_width, operations);
}

#define MULTIPLY_ADD(lanes, of_width)                                                                        \
    static int prepare_multiply_add_##lanes(known_work *w, attn_error *error) {                              \
        (void)w, (void)error;                                                                                \
        return !known_has_lanes(lanes);                                                                      \
    }                                                                                                        \
    static double run_multiply_add_##lanes(known_work *w, size_t n) {                                        \
        (void)w;                                                                                             \
        known_multiply_add(n, lanes);                                                                        \
        return 0;                                                                                            \
    }                                                                                                        \
    static size_t answers_multiply_add_##lanes(const known_work *w, size_t n, known_answer *to) {            \
        (void)w;                                                                                             \
        return answers_multiply_add(n, lanes, of_width, to);                                                 \
    }
MULTIPLY_ADD(1, "fp_scalar_single")
MULTIPLY_ADD(4, "fp_128_single")
MULTIPLY_ADD(8, "fp_256_single")
MULTIPLY_ADD(16, "fp_512_single")

/* ---- Branches */

static int prepare_branches(known_work *w, attn_error *error) {
    uint64_t random = 7;
    w->bytes = 4 * LONG_RUN;
    w->memory = attn_alloc(w->bytes, 1, "branches", error);
    if (!w->memory)
        return -1;
    for (size_t i = 0; i < w->bytes; i++)
        w->memory[i] = (char)(attn_random_next(&random) >> 63);
    return 0;
}

static double run_branches(known_work *w, size_t n) {
    known_branches((const uint8_t *)w->memory, n);
    return 0;
}

static size_t answers_branches(const known_work *w, size_t n, known_answer *to) {
    double rounds = (double)n, ones = 0;
    for (size_t i = 0; w->memory && i < n; i++)
        ones += w->memory[i];
    size_t count = answer(to, "instructions", rounds * KNOWN_BRANCHES_INSTRUCTIONS + ones);
    count += answer(to + count, "branches", 2 * rounds);
    return count + answer(to + count, "branch_misses", rounds / 2);
}

/* ---- Kernel and user */

static double run_syscalls(known_work *w, size_t n) {
    (void)w;
    known_syscalls(n);
    return 0;
}

static size_t answers_syscalls(const known_work *w, size_t n, known_answer *to) {
    (void)w;
    return answer(to, "instructions", (double)n * KNOWN_SYSCALLS_INSTRUCTIONS);
}

enum { PAGES = 2048 };

static int prepare_pages(known_work *w, attn_error *error) {
    (void)error;
    w->bytes = (size_t)sysconf(_SC_PAGESIZE);
    return 0;
}

static double run_pages(known_work *w, size_t n) {
    char *fresh = mmap(NULL, n * w->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED)
        return 0;
    madvise(fresh, n * w->bytes, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < n; i++)
        ((volatile char *)fresh)[i * w->bytes] = 1;
    munmap(fresh, n * w->bytes);
    return 0;
}

static size_t answers_pages(const known_work *w, size_t n, known_answer *to) {
    (void)w;
    return answer(to, "page_faults_minor", (double)n);
}

static double run_sleeps(known_work *w, size_t n) {
    const struct timespec moment = {.tv_nsec = 1000};
    (void)w;
    for (size_t i = 0; i < n; i++)
        nanosleep(&moment, NULL);
    return 0;
}

static size_t answers_sleeps(const known_work *w, size_t n, known_answer *to) {
    (void)w;
    return answer(to, "context_switches_voluntary", (double)n);
}

static double run_declare(known_work *w, size_t n) {
    (void)w;
    return (double)n;
}

static size_t answers_declare(const known_work *w, size_t n, known_answer *to) {
    (void)w;
    return answer(to, "cache_bytes_read", (double)n);
}

/* ---- Caches */

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

/* LRU misses all of twice its size; real caches are not that simple. */
static int prepare_beyond_caches(known_work *w, attn_error *error) {
    return prepare_misses(w, largest(w->cpu) * (w->cpu->simulated ? 2 : SECTIONS), error);
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
    size_t count = answer(to, "instructions", lines * KNOWN_READ_INSTRUCTIONS);
    count += answer(to + count, "l1d_reads", 8 * lines);
    count += none(to + count, "l1d_writes", 8 * lines);
    return count + none(to + count, "l1d_misses", lines);
}

static size_t answers_read_vectors(const known_work *w, size_t n, known_answer *to) {
    return answer(to, "l1d_reads", (double)(n * lines_of(w) * known_vector_reads()));
}

static size_t answers_write(const known_work *w, size_t n, known_answer *to) {
    double lines = (double)(n * lines_of(w));
    size_t count = answer(to, "instructions", lines * KNOWN_WRITE_INSTRUCTIONS);
    count += answer(to + count, "l1d_writes", 8 * lines);
    return count + none(to + count, "l1d_reads", 8 * lines);
}

/* A CPU that prefetches has no known number of misses here. */
static size_t answers_stream(const known_work *w, size_t n, known_answer *to) {
    double lines = (double)(n * lines_of(w));
    size_t count = answer(to, "l1d_reads", 8 * lines);
    if (!w->cpu->simulated)
        return count;
    bool fits = w->bytes < w->cpu->llc;
    count += answer(to + count, "l1d_misses", lines);
    count += answer(to + count, "llc_accesses", lines);
    count += fits ? none(to + count, "llc_misses", lines) : answer(to + count, "llc_misses", lines);
    if (!fits)
        count += answer(to + count, "cold_bytes", lines * KNOWN_LINE);
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
    size_t count = answer(to, missing, steps);
    if (hitting)
        count += none(to + count, hitting, steps);
    return count + answer(to + count, "l1d_reads", steps);
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
    size_t count = range(to, "llc_misses", least, steps);
    count += range(to + count, "memory_fills", least, steps);
    count += answer(to + count, "l1d_reads", steps);
    return count + answer(to + count, "l1d_misses", steps);
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
    size_t count = range(to, "llc_misses", steps, 2 * steps);
    return count + range(to + count, "memory_fills", steps, 2 * steps);
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
    return answer(to, "dtlb_misses", (double)(n * TLB_PAGES)) +
           answer(to + 1, "dtlb_walks", (double)(n * TLB_PAGES));
}

const known_kernel known_kernels[] = {
    {"adds", "additions that each need the one before", true, 2 * LONG_RUN, prepare_nothing, run_adds,
     answers_adds},
#define MULTIPLY_ADDS(lanes, summary)                                                                        \
    {                                                                                                        \
        "multiply_add_" #lanes, summary, true, 2 * LONG_RUN, prepare_multiply_add_##lanes,                   \
            run_multiply_add_##lanes, answers_multiply_add_##lanes                                           \
    }
    MULTIPLY_ADDS(1, "multiply-adds of single floats in registers"),
    MULTIPLY_ADDS(4, "the same on 4 floats"),
    MULTIPLY_ADDS(8, "the same on 8 floats"),
    MULTIPLY_ADDS(16, "the same on 16 floats"),
    {"read_l1", "reading half of the L1 cache over and over", true, 1 << 10, prepare_in_l1, run_read,
     answers_read_l1},
    {"read_vectors", "the same by vectors", true, 1 << 10, prepare_in_l1, run_read_vectors,
     answers_read_vectors},
    {"write_l1", "writing it", true, 1 << 10, prepare_in_l1, run_write, answers_write},
    {"stream_l2", "reading what is too large for L1", true, 1 << 7, prepare_beyond_l1, run_read,
     answers_stream},
    {"stream_memory", "reading what is too large for every cache", true, 1, prepare_beyond_caches, run_read,
     answers_stream},
    {"chase_l1", "following pointers through what is too large for L1", true, 1 << 7, prepare_chase_l1,
     run_chase, answers_chase_l1},
    {"chase_l2", "following pointers through what is too large for L2", true, 4, prepare_chase_l2, run_chase,
     answers_chase_l2},
    {"chase_memory", "following pointers through what is too large for every cache", true, 1,
     prepare_chase_caches, run_chase, answers_chase_caches},
    {"chase_flushed", "following pointers through lines that were flushed from every cache", true, 8,
     prepare_flushed, run_flushed, answers_flushed},
    {"chase_pages", "following pointers through more pages than a TLB knows", true, 8, prepare_chase_pages,
     run_chase_pages, answers_chase_pages},
    {"random_branches", "branches on random bits", true, LONG_RUN, prepare_branches, run_branches,
     answers_branches},
    {"syscalls", "system calls: what the kernel does is not to be counted", true, 1 << 13, prepare_nothing,
     run_syscalls, answers_syscalls},
    {"touch_pages", "pages written for the first time", false, PAGES, prepare_pages, run_pages,
     answers_pages},
    {"sleeps", "sleeps of a moment", false, 200, prepare_nothing, run_sleeps, answers_sleeps},
    {"declare", "bytes declared", false, 123456789, prepare_nothing, run_declare, answers_declare},
};
const size_t known_kernel_count = sizeof known_kernels / sizeof *known_kernels;

/* ---- The CPU */

static double least_time(void (*loop)(size_t)) {
    double least = 1e9;
    for (int i = 0; i < 5; i++) {
        double start = clock_now();
        loop(LONG_RUN);
        double took = clock_now() - start;
        least = fmin(took, least);
    }
    return least;
}

/* Every CPU does two independent additions at once. An emulator does one instruction after the other. */
static bool is_emulated(void) {
    return KNOWN_LOOPS && least_time(known_adds) < 1.2 * least_time(known_independent_adds);
}

void known_cpu_read(known_cpu *cpu) {
    if (callgrind_is_here()) {
        *cpu = (known_cpu){CALLGRIND_LINE, CALLGRIND_L1_BYTES, 0, CALLGRIND_LL_BYTES, true, false};
        return;
    }
    machine m;
    machine_read(&m, NULL);
    long line = sysconf(_SC_LEVEL1_DCACHE_LINESIZE);
    *cpu = (known_cpu){.line = line > 0 ? (size_t)line : 0,
                       .l1d = machine_cache_bytes(&m, 1),
                       .l2 = machine_cache_bytes(&m, 2),
                       .llc = machine_cache_bytes(&m, 3),
                       .emulated = is_emulated()};
}

void known_work_free(known_work *w) {
    attn_free(w->memory);
    w->memory = NULL;
}
