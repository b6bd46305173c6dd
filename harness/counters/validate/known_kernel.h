/* A kernel with known answers, and what it writes them with. */
#ifndef HARNESS_COUNTERS_VALIDATE_KNOWN_KERNEL_H
#define HARNESS_COUNTERS_VALIDATE_KNOWN_KERNEL_H

#include "attn/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Of one CPU, real or simulated; 0: unknown, or there is no such level. */
typedef struct known_cpu {
    size_t line, l1d, l2, llc;
    bool simulated; /* by callgrind: caches are LRU and nothing is prefetched */
    bool emulated;  /* by QEMU: no pipeline, and a clock of 1 GHz that counts cycles */
} known_cpu;

typedef struct known_work {
    const known_cpu *cpu;
    char *memory;
    size_t bytes;
    const void *found; /* by the last run */
    double ns;         /* that it took */
} known_work;

typedef struct known_answer {
    const char *event;
    double expected;
    double least; /* right is anything from here to `expected`: the same, where the answer is one number */
    double scale; /* errors are fractions of this: `expected`, where that is not 0 */
} known_answer;

enum { KNOWN_ANSWERS_MAX = 8 };

typedef struct known_kernel {
    const char *name, *summary;
    bool loops; /* needs KNOWN_LOOPS */
    size_t n;   /* of the small run; the large one is twice that */
    /* 0, -1 for lack of memory; or 1: not on this CPU (its caches are unknown, or too large). */
    int (*prepare)(known_work *work, attn_error *error);
    double (*run)(known_work *work, size_t n); /* the cache bytes that it declares */
    /* Of a run of n; before prepare, only which events there are answers for. */
    size_t (*answers)(const known_work *work, size_t n, known_answer answers[KNOWN_ANSWERS_MAX]);
} known_kernel;

/* Each writes one answer and returns 1. */
static inline size_t answer_is(known_answer *to, const char *event, double expected) {
    *to = (known_answer){event, expected, expected, expected};
    return 1;
}

static inline size_t answer_range(known_answer *to, const char *event, double least, double most) {
    *to = (known_answer){event, most, least, most};
    return 1;
}

/* 0, and errors are fractions of `of`. */
static inline size_t answer_none(known_answer *to, const char *event, double of) {
    *to = (known_answer){event, 0, 0, of};
    return 1;
}

#endif
