#include "harness/counters/validate/known_loops.h"

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

bool known_can_flush(void) {
    return true;
}

void known_flush(const void *memory, size_t lines, size_t stride) {
    for (size_t i = 0; i < lines; i++)
        __asm__ volatile("clflush (%0)" : : "r"((const char *)memory + i * stride) : "memory");
    __asm__ volatile("mfence" : : : "memory");
}

bool known_is_fused(void) {
    return attn_cpu_isa() >= ATTN_ISA_AVX2;
}

bool known_has_lanes(size_t lanes) {
    return lanes == 1 || lanes == 4 || (lanes == 8 && attn_cpu_isa() >= ATTN_ISA_AVX2) ||
           (lanes == 16 && attn_cpu_isa() >= ATTN_ISA_AVX512);
}

/* Registers 2 to 9; each round needs the one before. */
#define EIGHT(one) one("2") one("3") one("4") one("5") one("6") one("7") one("8") one("9")
#define FUSED_SCALAR(to) "vfmadd231ss %%xmm0, %%xmm1, %%xmm" to "\n"
#define FUSED_128(to) "vfmadd231ps %%xmm0, %%xmm1, %%xmm" to "\n"
#define FUSED_256(to) "vfmadd231ps %%ymm0, %%ymm1, %%ymm" to "\n"
#define FUSED_512(to) "vfmadd231ps %%zmm0, %%zmm1, %%zmm" to "\n"
#define MULTIPLY_THEN_ADD(kind, to, then)                                                                    \
    "mul" kind " %%xmm0, %%xmm" to "\nadd" kind " %%xmm0, %%xmm" then "\n"
#define FOUR_PAIRS(kind)                                                                                     \
    MULTIPLY_THEN_ADD(kind, "2", "3")                                                                        \
    MULTIPLY_THEN_ADD(kind, "4", "5") MULTIPLY_THEN_ADD(kind, "6", "7") MULTIPLY_THEN_ADD(kind, "8", "9")
#define ZERO(to) "xorps %%xmm" to ", %%xmm" to "\n"
#define TAKEN                                                                                                \
    "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",  \
        "xmm12", "xmm13", "xmm14", "xmm15"
#define FUSED(body) __asm__ volatile("vzeroall\n" ROUNDS(body) "vzeroupper\n" : [n] "+r"(rounds) : : TAKEN)
#define SEPARATE(body) __asm__ volatile(ZERO("0") EIGHT(ZERO) ROUNDS(body) : [n] "+r"(rounds) : : TAKEN)

static void fused(size_t rounds, size_t lanes) {
    if (lanes == 1)
        FUSED(EIGHT(FUSED_SCALAR));
    else if (lanes == 4)
        FUSED(EIGHT(FUSED_128));
    else if (lanes == 8)
        FUSED(EIGHT(FUSED_256));
    else
        FUSED(EIGHT(FUSED_512));
}

void known_multiply_add(size_t rounds, size_t lanes) {
    if (known_is_fused())
        fused(rounds, lanes);
    else if (lanes == 1)
        SEPARATE(FOUR_PAIRS("ss"));
    else
        SEPARATE(FOUR_PAIRS("ps"));
}

static bool has_avx(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx");
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

#endif
