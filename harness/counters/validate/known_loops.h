/* Loops in assembly, so that what they execute is known to the instruction: the ground that validation of
 * counters stands on. Around the loop comes a handful of instructions. On other CPUs than x86-64, arm64 and
 * riscv64 there are none: KNOWN_LOOPS is 0. */
#ifndef HARNESS_COUNTERS_VALIDATE_KNOWN_LOOPS_H
#define HARNESS_COUNTERS_VALIDATE_KNOWN_LOOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__riscv) && __riscv_xlen == 64 && defined(__riscv_flen) && __riscv_flen == 64
#define KNOWN_RISCV64 1
#else
#define KNOWN_RISCV64 0
#endif
#if defined(__x86_64__) || defined(__aarch64__) || KNOWN_RISCV64
#define KNOWN_LOOPS 1
#else
#define KNOWN_LOOPS 0
#endif

enum { KNOWN_LINE = 64 };  /* bytes that one round of the reading and writing loops goes on */
enum { KNOWN_ADDS = 16 };  /* additions of a round */
enum { KNOWN_CALM = 200 }; /* additions between two system calls */

/* Instructions of a round, and of a round's parts. The loop itself takes two: one counts, one branches. */
#if defined(__aarch64__)
enum { KNOWN_BRANCHES_INSTRUCTIONS = 4 }; /* and one more where the branch is not taken */
enum { KNOWN_READ_INSTRUCTIONS = 8 * 2 + 1 + 2 };
#elif KNOWN_RISCV64
enum { KNOWN_BRANCHES_INSTRUCTIONS = 5 }; /* likewise */
enum { KNOWN_READ_INSTRUCTIONS = 8 * 2 + 1 + 2 };
#else
enum { KNOWN_BRANCHES_INSTRUCTIONS = 5 }; /* likewise */
enum { KNOWN_READ_INSTRUCTIONS = 8 + 1 + 2 };
#endif
enum { KNOWN_ADDS_INSTRUCTIONS = KNOWN_ADDS + 2 };
enum { KNOWN_MULTIPLY_ADD_INSTRUCTIONS = 8 + 2 };
enum { KNOWN_WRITE_INSTRUCTIONS = 8 + 1 + 2 };
enum { KNOWN_CHASE_INSTRUCTIONS = 1 + 2 };
enum { KNOWN_SYSCALLS_INSTRUCTIONS = KNOWN_CALM + 2 + 2 };

void known_adds(size_t rounds);             /* KNOWN_ADDS, each needs the one before */
void known_independent_adds(size_t rounds); /* KNOWN_ADDS, of which four can go at once */
/* Eight instructions on 1, 4, 8 or 16 floats each: multiply-adds where known_is_fused, half of them
 * multiplications and half additions elsewhere. Only where known_has_lanes. */
void known_multiply_add(size_t rounds, size_t lanes);
bool known_has_lanes(size_t lanes);
bool known_is_fused(void);

void known_read(const void *memory, size_t lines);         /* 8 reads of 8 bytes a line */
void known_read_vectors(const void *memory, size_t lines); /* known_vector_reads() reads a line */
void known_write(void *memory, size_t lines);              /* 8 writes of 8 bytes a line */
const void *known_chase(const void *start, size_t steps);  /* each step reads where the next one is */
void known_branches(const uint8_t *bits, size_t count); /* a branch taken where the byte is 0, two in all */
void known_syscalls(size_t rounds);                     /* one getppid */

size_t known_vector_reads(void);

/* Takes lines out of every cache, `stride` bytes apart. */
bool known_can_flush(void);
void known_flush(const void *memory, size_t lines, size_t stride);

#endif
