#include "harness/counters/validate/known_loops.h"

#if !KNOWN_LOOPS

void known_adds(size_t rounds) {
    (void)rounds;
}

void known_independent_adds(size_t rounds) {
    (void)rounds;
}

void known_multiply_add(size_t rounds, size_t lanes) {
    (void)rounds, (void)lanes;
}

bool known_can_flush(void) {
    return false;
}

void known_flush(const void *memory, size_t lines, size_t stride) {
    (void)memory, (void)lines, (void)stride;
}

bool known_is_fused(void) {
    return false;
}

bool known_has_lanes(size_t lanes) {
    (void)lanes;
    return false;
}

void known_read(const void *memory, size_t lines) {
    (void)memory, (void)lines;
}

void known_read_vectors(const void *memory, size_t lines) {
    (void)memory, (void)lines;
}

size_t known_vector_reads(void) {
    return 0;
}

void known_write(void *memory, size_t lines) {
    (void)memory, (void)lines;
}

const void *known_chase(const void *start, size_t steps) {
    (void)steps;
    return start;
}

void known_branches(const uint8_t *bits, size_t count) {
    (void)bits, (void)count;
}

void known_syscalls(size_t rounds) {
    (void)rounds;
}

#endif
