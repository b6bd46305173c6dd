#include "harness/counters/validate/known_kernels.h"

#include "base/clock.h"
#include "harness/counters/source/callgrind.h"
#include "harness/counters/validate/known_loops.h"
#include "harness/counters/validate/known_memory.h"
#include "harness/machine/machine.h"

#include "attn/alloc.h"
#include "attn/random.h"

#include <math.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { LONG_RUN = 1 << 17 }; /* rounds: next to them, starting and stopping counters takes little */

#define KERNEL(name, summary, loops, n, prepare, run, answers)                                               \
    static const known_kernel name = {#name, summary, loops, n, prepare, run, answers}

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
    size_t count = answer_is(to, "instructions", rounds * KNOWN_ADDS_INSTRUCTIONS);
    count += answer_is(to + count, "branches", rounds);
    count += answer_none(to + count, "branch_misses", rounds);
    if (!w->cpu->simulated)
        count += answer_is(to + count, "cycles", w->cpu->emulated ? w->ns : rounds * KNOWN_ADDS);
    return count;
}

/* Names of the events that count instructions of a width, each multiply-add twice; and of all FLOPs. */
static size_t answers_multiply_add(size_t rounds, size_t lanes, const char *of_width, known_answer *to) {
    double operations = 8.0 * (double)rounds * (known_is_fused() ? 2 : 1);
    size_t count = answer_is(to, "instructions", (double)rounds * KNOWN_MULTIPLY_ADD_INSTRUCTIONS);
    count += answer_is(to + count, "sp_flops", operations * (double)lanes);
    count += answer_is(to + count, "fp_any", operations * (double)lanes);
    count += answer_none(to + count, "dp_flops", operations * (double)lanes);
    return count + answer_is(to + count, of_width, operations);
}

#define MULTIPLY_ADD(lanes, of_width, summary)                                                               \
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
    }                                                                                                        \
    KERNEL(multiply_add_##lanes, summary, true, 2 * LONG_RUN, prepare_multiply_add_##lanes,                  \
           run_multiply_add_##lanes, answers_multiply_add_##lanes)
MULTIPLY_ADD(1, "fp_scalar_single", "multiply-adds of single floats in registers");
MULTIPLY_ADD(4, "fp_128_single", "the same on 4 floats");
MULTIPLY_ADD(8, "fp_256_single", "the same on 8 floats");
MULTIPLY_ADD(16, "fp_512_single", "the same on 16 floats");

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
    size_t count = answer_is(to, "instructions", rounds * KNOWN_BRANCHES_INSTRUCTIONS + ones);
    count += answer_is(to + count, "branches", 2 * rounds);
    return count + answer_is(to + count, "branch_misses", rounds / 2);
}

/* ---- Kernel and user */

static double run_syscalls(known_work *w, size_t n) {
    (void)w;
    known_syscalls(n);
    return 0;
}

static size_t answers_syscalls(const known_work *w, size_t n, known_answer *to) {
    (void)w;
    return answer_is(to, "instructions", (double)n * KNOWN_SYSCALLS_INSTRUCTIONS);
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
    return answer_is(to, "page_faults_minor", (double)n);
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
    return answer_is(to, "context_switches_voluntary", (double)n);
}

static double run_declare(known_work *w, size_t n) {
    (void)w;
    return (double)n;
}

static size_t answers_declare(const known_work *w, size_t n, known_answer *to) {
    (void)w;
    return answer_is(to, "cache_bytes_read", (double)n);
}

KERNEL(adds, "additions that each need the one before", true, 2 * LONG_RUN, prepare_nothing, run_adds,
       answers_adds);
KERNEL(random_branches, "branches on random bits", true, LONG_RUN, prepare_branches, run_branches,
       answers_branches);
KERNEL(syscalls, "system calls: what the kernel does is not to be counted", true, 1 << 13, prepare_nothing,
       run_syscalls, answers_syscalls);
KERNEL(touch_pages, "pages written for the first time", false, PAGES, prepare_pages, run_pages,
       answers_pages);
KERNEL(sleeps, "sleeps of a moment", false, 200, prepare_nothing, run_sleeps, answers_sleeps);
KERNEL(declare, "bytes declared", false, 123456789, prepare_nothing, run_declare, answers_declare);

const known_kernel *const known_kernels[] = {
    &adds,
    &multiply_add_1,
    &multiply_add_4,
    &multiply_add_8,
    &multiply_add_16,
    &known_kernel_read_l1,
    &known_kernel_read_vectors,
    &known_kernel_write_l1,
    &known_kernel_stream_l2,
    &known_kernel_stream_memory,
    &known_kernel_chase_l1,
    &known_kernel_chase_l2,
    &known_kernel_chase_memory,
    &known_kernel_chase_flushed,
    &known_kernel_chase_pages,
    &random_branches,
    &syscalls,
    &touch_pages,
    &sleeps,
    &declare,
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
