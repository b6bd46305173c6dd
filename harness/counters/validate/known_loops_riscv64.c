#include "harness/counters/validate/known_loops.h"

#if KNOWN_RISCV64

#define ROUNDS(body)                                                                                         \
    "1:\n" body "addi %[n], %[n], -1\n"                                                                      \
    "bnez %[n], 1b\n"

void known_adds(size_t rounds) {
    uint64_t sum = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 16\n"
                            "add %[sum], %[sum], %[one]\n"
                            ".endr\n")
                     : [n] "+r"(rounds), [sum] "+r"(sum)
                     : [one] "r"(one));
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
                     : [one] "r"(one));
}

/* Zicbom's cbo.flush is the kernel's, and programs may use it only where that allows it. */
bool known_can_flush(void) {
    return false;
}

void known_flush(const void *memory, size_t lines, size_t stride) {
    (void)memory, (void)lines, (void)stride;
}

bool known_is_fused(void) {
    return true;
}

bool known_has_lanes(size_t lanes) {
    return lanes == 1;
}

#define EIGHT(one) one("0") one("1") one("2") one("3") one("4") one("5") one("6") one("7")
#define ZERO(to) "fmv.w.x ft" to ", zero\n"
#define FUSED_SCALAR(to) "fmadd.s ft" to ", fa0, fa1, ft" to "\n"

void known_multiply_add(size_t rounds, size_t lanes) {
    (void)lanes;
    __asm__ volatile(EIGHT(ZERO) "fmv.w.x fa0, zero\nfmv.w.x fa1, zero\n" ROUNDS(EIGHT(FUSED_SCALAR))
                     : [n] "+r"(rounds)
                     :
                     : "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fa0", "fa1");
}

#define READ(offset) "ld t1, " offset "(%[at])\nadd t2, t2, t1\n"
#define EACH(one) one("0") one("8") one("16") one("24") one("32") one("40") one("48") one("56")

void known_read(const void *memory, size_t lines) {
    __asm__ volatile(ROUNDS(EACH(READ) "addi %[at], %[at], 64\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "t1", "t2", "memory");
}

/* The base instruction set has no vectors: floats of eight bytes. */
#define READ_FLOAT(offset) "fld ft0, " offset "(%[at])\nfadd.d ft1, ft1, ft0\n"

void known_read_vectors(const void *memory, size_t lines) {
    __asm__ volatile(ROUNDS(EACH(READ_FLOAT) "addi %[at], %[at], 64\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "ft0", "ft1", "memory");
}

size_t known_vector_reads(void) {
    return 8;
}

#define WRITE(offset) "sd zero, " offset "(%[at])\n"

void known_write(void *memory, size_t lines) {
    __asm__ volatile(ROUNDS(EACH(WRITE) "addi %[at], %[at], 64\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "memory");
}

const void *known_chase(const void *start, size_t steps) {
    __asm__ volatile(ROUNDS("ld %[at], 0(%[at])\n") : [n] "+r"(steps), [at] "+r"(start) : : "memory");
    return start;
}

void known_branches(const uint8_t *bits, size_t count) {
    uint64_t ones = 0;
    __asm__ volatile(ROUNDS("lbu t1, 0(%[at])\n"
                            "addi %[at], %[at], 1\n"
                            "beqz t1, 2f\n"
                            "addi %[ones], %[ones], 1\n"
                            "2:\n")
                     : [n] "+r"(count), [at] "+r"(bits), [ones] "+r"(ones)
                     :
                     : "t1", "memory");
}

void known_syscalls(size_t rounds) {
    uint64_t sum = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 200\n"
                            "add %[sum], %[sum], %[one]\n"
                            ".endr\n"
                            "li a7, 173\n"
                            "ecall\n")
                     : [n] "+r"(rounds), [sum] "+r"(sum)
                     : [one] "r"(one)
                     : "a0", "a7", "memory");
}

#endif
