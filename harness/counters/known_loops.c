#include "harness/counters/known_loops.h"

#include "attn/cpu.h"

#if defined(__x86_64__)

#define ROUNDS(body)                                                                                         \
    "1:\n" body "dec %[n]\n"                                                                                 \
    "jnz 1b\n"

void known_adds(size_t rounds) {
    uint64_t sum = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 16\n"
                            "add %[one], %[sum]\n"
                            ".endr\n")
                     : [n] "+r"(rounds), [sum] "+r"(sum)
                     : [one] "r"(one)
                     : "cc");
}

void known_independent_adds(size_t rounds) {
    uint64_t a = 0, b = 0, c = 0, d = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 4\n"
                            "add %[one], %[a]\n"
                            "add %[one], %[b]\n"
                            "add %[one], %[c]\n"
                            "add %[one], %[d]\n"
                            ".endr\n")
                     : [n] "+r"(rounds), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d)
                     : [one] "r"(one)
                     : "cc");
}

static bool has_fma(void) {
    return attn_cpu_isa() >= ATTN_ISA_AVX2;
}

static bool has_avx(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx");
}

static void multiply_add_fma(size_t rounds) {
    __asm__ volatile("vzeroall\n" ROUNDS("vfmadd231ps %%ymm0, %%ymm1, %%ymm2\n"
                                         "vfmadd231ps %%ymm0, %%ymm1, %%ymm3\n"
                                         "vfmadd231ps %%ymm0, %%ymm1, %%ymm4\n"
                                         "vfmadd231ps %%ymm0, %%ymm1, %%ymm5\n"
                                         "vfmadd231ps %%ymm0, %%ymm1, %%ymm6\n"
                                         "vfmadd231ps %%ymm0, %%ymm1, %%ymm7\n"
                                         "vfmadd231ps %%ymm0, %%ymm1, %%ymm8\n"
                                         "vfmadd231ps %%ymm0, %%ymm1, %%ymm9\n") "vzeroupper\n"
                     : [n] "+r"(rounds)
                     :
                     : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static void multiply_then_add(size_t rounds) {
    __asm__ volatile("xorps %%xmm0, %%xmm0\n"
                     "xorps %%xmm2, %%xmm2\n"
                     "xorps %%xmm3, %%xmm3\n"
                     "xorps %%xmm4, %%xmm4\n"
                     "xorps %%xmm5, %%xmm5\n" ROUNDS("mulps %%xmm0, %%xmm2\n"
                                                     "addps %%xmm0, %%xmm3\n"
                                                     "mulps %%xmm0, %%xmm4\n"
                                                     "addps %%xmm0, %%xmm5\n"
                                                     "mulps %%xmm0, %%xmm2\n"
                                                     "addps %%xmm0, %%xmm3\n"
                                                     "mulps %%xmm0, %%xmm4\n"
                                                     "addps %%xmm0, %%xmm5\n")
                     : [n] "+r"(rounds)
                     :
                     : "cc", "xmm0", "xmm2", "xmm3", "xmm4", "xmm5");
}

void known_multiply_add(size_t rounds) {
    (has_fma() ? multiply_add_fma : multiply_then_add)(rounds);
}

size_t known_multiply_add_flops(void) {
    return has_fma() ? 8 * 8 * 2 : 8 * 4;
}

/* What is read is used: valgrind leaves out reads that nothing depends on. */
void known_read(const void *memory, size_t lines) {
    __asm__ volatile(ROUNDS("add (%[at]), %%rax\n"
                            "add 8(%[at]), %%rax\n"
                            "add 16(%[at]), %%rax\n"
                            "add 24(%[at]), %%rax\n"
                            "add 32(%[at]), %%rax\n"
                            "add 40(%[at]), %%rax\n"
                            "add 48(%[at]), %%rax\n"
                            "add 56(%[at]), %%rax\n"
                            "add $64, %[at]\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "cc", "rax", "memory");
}

static void read_avx(const void *memory, size_t lines) {
    __asm__ volatile(ROUNDS("vaddps (%[at]), %%ymm0, %%ymm0\n"
                            "vaddps 32(%[at]), %%ymm0, %%ymm0\n"
                            "add $64, %[at]\n") "vzeroupper\n"
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "cc", "xmm0", "memory");
}

static void read_sse(const void *memory, size_t lines) {
    __asm__ volatile(ROUNDS("addps (%[at]), %%xmm0\n"
                            "addps 16(%[at]), %%xmm0\n"
                            "addps 32(%[at]), %%xmm0\n"
                            "addps 48(%[at]), %%xmm0\n"
                            "add $64, %[at]\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     :
                     : "cc", "xmm0", "memory");
}

void known_read_vectors(const void *memory, size_t lines) {
    (has_avx() ? read_avx : read_sse)(memory, lines);
}

size_t known_vector_reads(void) {
    return has_avx() ? 2 : 4;
}

void known_write(void *memory, size_t lines) {
    uint64_t value = 0;
    __asm__ volatile(ROUNDS("mov %[value], (%[at])\n"
                            "mov %[value], 8(%[at])\n"
                            "mov %[value], 16(%[at])\n"
                            "mov %[value], 24(%[at])\n"
                            "mov %[value], 32(%[at])\n"
                            "mov %[value], 40(%[at])\n"
                            "mov %[value], 48(%[at])\n"
                            "mov %[value], 56(%[at])\n"
                            "add $64, %[at]\n")
                     : [n] "+r"(lines), [at] "+r"(memory)
                     : [value] "r"(value)
                     : "cc", "memory");
}

const void *known_chase(const void *start, size_t steps) {
    __asm__ volatile(ROUNDS("mov (%[at]), %[at]\n") : [n] "+r"(steps), [at] "+r"(start) : : "cc", "memory");
    return start;
}

void known_branches(const uint8_t *bits, size_t count) {
    uint64_t ones = 0;
    __asm__ volatile(ROUNDS("cmpb $0, (%[at])\n"
                            "je 2f\n"
                            "inc %[ones]\n"
                            "2: inc %[at]\n")
                     : [n] "+r"(count), [at] "+r"(bits), [ones] "+r"(ones)
                     :
                     : "cc", "memory");
}

void known_syscalls(size_t rounds) {
    uint64_t sum = 0, one = 1;
    __asm__ volatile(ROUNDS(".rept 200\n"
                            "add %[one], %[sum]\n"
                            ".endr\n"
                            "mov $110, %%eax\n"
                            "syscall\n")
                     : [n] "+r"(rounds), [sum] "+r"(sum)
                     : [one] "r"(one)
                     : "cc", "rax", "rcx", "r11", "memory");
}

#elif defined(__aarch64__)

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

void known_multiply_add(size_t rounds) {
    __asm__ volatile("movi v0.4s, #0\n"
                     "movi v1.4s, #0\n"
                     "movi v2.4s, #0\n"
                     "movi v3.4s, #0\n"
                     "movi v4.4s, #0\n"
                     "movi v5.4s, #0\n"
                     "movi v6.4s, #0\n"
                     "movi v7.4s, #0\n"
                     "movi v16.4s, #0\n"
                     "movi v17.4s, #0\n" ROUNDS("fmla v0.4s, v16.4s, v17.4s\n"
                                                "fmla v1.4s, v16.4s, v17.4s\n"
                                                "fmla v2.4s, v16.4s, v17.4s\n"
                                                "fmla v3.4s, v16.4s, v17.4s\n"
                                                "fmla v4.4s, v16.4s, v17.4s\n"
                                                "fmla v5.4s, v16.4s, v17.4s\n"
                                                "fmla v6.4s, v16.4s, v17.4s\n"
                                                "fmla v7.4s, v16.4s, v17.4s\n")
                     : [n] "+r"(rounds)
                     :
                     : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17");
}

size_t known_multiply_add_flops(void) {
    return 8 * 4 * 2;
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

#else

void known_adds(size_t rounds) {
    (void)rounds;
}

void known_independent_adds(size_t rounds) {
    (void)rounds;
}

void known_multiply_add(size_t rounds) {
    (void)rounds;
}

size_t known_multiply_add_flops(void) {
    return 0;
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
