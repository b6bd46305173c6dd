/* Runs each of the known loops N rounds, and prints what those that compute something find: for a trace to count. */
#include "harness/counters/validate/known_loops.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 64 };

int main(int argc, char **argv) {
    static uint64_t memory[8 * ROUNDS_MAX];
    static uint8_t bits[ROUNDS_MAX];
    static void *ring[ROUNDS_MAX];
    size_t n = argc > 1 ? (size_t)atoi(argv[1]) : 1;
    if (n < 1 || n > ROUNDS_MAX)
        return 2;
    for (size_t i = 0; i < ROUNDS_MAX; i++) {
        bits[i] = i % 2;
        ring[i] = &ring[(i + 1) % ROUNDS_MAX];
    }
    for (size_t i = 0; i < 8 * ROUNDS_MAX; i++)
        memory[i] = 1;
    known_adds(n);
    known_independent_adds(n);
    known_multiply_add(n, 1);
    known_read(memory, n);
    known_read_vectors(memory, n);
    known_branches(bits, n);
    known_syscalls(n);
    known_write(memory, n);
    size_t written = 0;
    for (size_t i = 0; i < 8 * ROUNDS_MAX; i++)
        written += !memory[i];
    printf("%d instructions a round: known_adds\n", KNOWN_ADDS_INSTRUCTIONS);
    printf("%d instructions a round: known_independent_adds\n", KNOWN_ADDS_INSTRUCTIONS);
    printf("%d instructions a round: known_multiply_add\n", KNOWN_MULTIPLY_ADD_INSTRUCTIONS);
    printf("%d instructions a round: known_read\n", KNOWN_READ_INSTRUCTIONS);
    printf("%d instructions a round: known_write\n", KNOWN_WRITE_INSTRUCTIONS);
    printf("%d instructions a round: known_chase\n", KNOWN_CHASE_INSTRUCTIONS);
    printf("%d instructions in two rounds: known_branches\n", 2 * KNOWN_BRANCHES_INSTRUCTIONS + 1);
    printf("%d instructions a round: known_syscalls\n", KNOWN_SYSCALLS_INSTRUCTIONS);
    bool right = written == 8 * n && known_chase(ring, n) == (void *)&ring[n % ROUNDS_MAX];
    if (known_can_flush())
        known_flush(memory, ROUNDS_MAX, 64);
    puts(right ? "right" : "wrong");
    return !right;
}
