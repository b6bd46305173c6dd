#include "harness/counters/validate/known_loops.h"

#if defined(__aarch64__)

#define ROUNDS(body)                                                                                         \
    "1:\n" body "subs %[n], %[n], #1\n"                                                                      \
    "b.ne 1b\n"

void known_adds(size_t rounds) {
    uint64_t sum = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 16\n"
                            "add %[sum], %[sum], %[one]\n"
                            ".endr\n")
                     : [n] "+r"(rounds), [sum] "+r"(sum)
                     : [one] "r"(one)
                     : "cc");
}

void known_independent_adds(size_t rounds) {
    uint64_t a = 0, b = 0, c = 0, d = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 4\n"
                            "add %[a], %[a], %[one]\n"
                            "add %[b], %[b], %[one]\n"
                            "add %[c], %[c], %[one]\n"
                            "add %[d], %[d], %[one]\n"
                            ".endr\n")
                     : [n] "+r"(rounds), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
                     : [one] "r"(one)
                     : "cc");
}

/* Linux lets programs clean and drop lines (SCTLR_EL1.UCI). */
bool known_can_flush(void) {
    return true;
}

void known_flush(const void *memory, size_t lines, size_t stride) {
    for (size_t i = 0; i < lines; i++)
        __asm__ volatile("dc civac, %0" : : "r"((const char *)memory + i * stride) : "memory");
    __asm__ volatile("dsb sy" : : : "memory");
}

bool known_is_fused(void) {
    return true;
}

bool known_has_lanes(size_t lanes) {
    return lanes == 1 || lanes == 4;
}

#define EIGHT(one) one("0") one("1") one("2") one("3") one("4") one("5") one("6") one("7")
#define ZERO(to) "movi v" to ".4s, #0\n"
#define FUSED_SCALAR(to) "fmadd s" to ", s16, s17, s" to "\n"
#define FUSED_128(to) "fmla v" to ".4s, v16.4s, v17.4s\n"
#define FUSED(body)                                                                                          \
    __asm__ volatile(EIGHT(ZERO) ZERO("16") ZERO("17") ROUNDS(body)                                          \
                     : [n] "+r"(rounds)                                                                      \
                     :                                                                                       \
                     : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17")

void known_multiply_add(size_t rounds, size_t lanes) {
    if (lanes == 1)
        FUSED(EIGHT(FUSED_SCALAR));
    else
        FUSED(EIGHT(FUSED_128));
}

void known_read(const void *memory, size_t lines) {
    __asm__ volatile(ROUNDS("ldr x9, [%[at]]\n"
                            "add x10, x10, x9\n"
                            "ldr x9, [%[at], #8]\n"
                            "add x10, x10, x9\n"
                            "ldr x9, [%[at], #16]\n"
                            "add x10, x10, x9\n"
                            "ldr x9, [%[at], #24]\n"
                            "add x10, x10, x9\n"
                            "ldr x9, [%[at], #32]\n"
                            "add x10, x10, x9\n"
                            "ldr x9, [%[at], #40]\n"
                            "add x10, x10, x9\n"
                            "ldr x9, [%[at], #48]\n"
                            "add x10, x10, x9\n"
                            "ldr x9, [%[at], #56]\n"
                            "add x10, x10, x9\n"
                            "add %[at], %[at], #64\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "cc", "x9", "x10", "memory");
}

void known_read_vectors(const void *memory, size_t lines) {
    __asm__ volatile(ROUNDS("ldr q0, [%[at]]\n"
                            "eor v1.16b, v1.16b, v0.16b\n"
                            "ldr q0, [%[at], #16]\n"
                            "eor v1.16b, v1.16b, v0.16b\n"
                            "ldr q0, [%[at], #32]\n"
                            "eor v1.16b, v1.16b, v0.16b\n"
                            "ldr q0, [%[at], #48]\n"
                            "eor v1.16b, v1.16b, v0.16b\n"
                            "add %[at], %[at], #64\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "cc", "v0", "v1", "memory");
}

size_t known_vector_reads(void) {
    return 4;
}

void known_write(void *memory, size_t lines) {
    __asm__ volatile(ROUNDS("str xzr, [%[at]]\n"
                            "str xzr, [%[at], #8]\n"
                            "str xzr, [%[at], #16]\n"
                            "str xzr, [%[at], #24]\n"
                            "str xzr, [%[at], #32]\n"
                            "str xzr, [%[at], #40]\n"
                            "str xzr, [%[at], #48]\n"
                            "str xzr, [%[at], #56]\n"
                            "add %[at], %[at], #64\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "cc", "memory");
}

const void *known_chase(const void *start, size_t steps) {
    __asm__ volatile(ROUNDS("ldr %[at], [%[at]]\n") : [n] "+r"(steps), [at] "+r"(start) : : "cc", "memory");
    return start;
}

void known_branches(const uint8_t *bits, size_t count) {
    uint64_t ones = 0;
    __asm__ volatile(ROUNDS("ldrb w9, [%[at]], #1\n"
                            "cbz w9, 2f\n"
                            "add %[ones], %[ones], #1\n"
                            "2:\n")
                     : [n] "+r"(count), [at] "+r"(bits), [ones] "+r"(ones)
                     :
                     : "cc", "x9", "memory");
}

void known_syscalls(size_t rounds) {
    uint64_t sum = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 200\n"
                            "add %[sum], %[sum], %[one]\n"
                            ".endr\n"
                            "mov x8, #173\n"
                            "svc #0\n")
                     : [n] "+r"(rounds), [sum] "+r"(sum)
                     : [one] "r"(one)
                     : "cc", "x0", "x8", "memory");
}

#endif
