/* An independent measurement of what `attnbench machine` reports, for compare_machine.py: none of attnbench's
 * code, another way of timing, loops of their own. x86-64 with GCC or Clang.
 *
 *   machine_reference REPETITIONS    prints "peak_avx2 GFLOP/s", "read_16384 GB/s", ...; best of the repetitions
 */
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Twelve independent multiply-adds a turn, in assembly. */
#define ONE(what, register_, n) what " %%" register_ "15, %%" register_ "14, %%" register_ #n "\n\t"
#define FOUR(what, r, a, b, c, d) ONE(what, r, a) ONE(what, r, b) ONE(what, r, c) ONE(what, r, d)
#define TWELVE(what, r) FOUR(what, r, 0, 1, 2, 3) FOUR(what, r, 4, 5, 6, 7) FOUR(what, r, 8, 9, 10, 11)
#define LOOP(what, r)                                                                                        \
    __asm__ volatile("1:\n\t" TWELVE(what, r) TWELVE(what, r) "dec %0\n\tjnz 1b"                             \
                     : "+r"(turns)                                                                           \
                     :                                                                                       \
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",       \
                       "xmm10", "xmm11", "xmm14", "xmm15", "cc")
enum { TURNS = 1 << 19, OPERATIONS = 24 };

/* Multiply-adds of one instruction: of floats by halves or whole wide registers, of bf16, of int8. */
enum { AVX2, AVX512, AVX512_BF16, AVX512_VNNI, PEAKS };
static const char *const peaks[] = {"avx2", "avx512", "avx512_bf16", "avx512_vnni"};
static const int lanes[] = {8, 16, 32, 64};

static int has(int which) {
    return which == AVX2          ? __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
           : which == AVX512      ? !!__builtin_cpu_supports("avx512f")
           : which == AVX512_BF16 ? !!__builtin_cpu_supports("avx512bf16")
                                  : !!__builtin_cpu_supports("avx512vnni");
}

static double peak(int which) {
    long turns = TURNS;
    __asm__ volatile("vzeroall" ::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                           "xmm10", "xmm11", "xmm14", "xmm15");
    double start = cpu_seconds();
    if (which == AVX2)
        LOOP("vfmadd231ps", "ymm");
    else if (which == AVX512)
        LOOP("vfmadd231ps", "zmm");
    else if (which == AVX512_BF16)
        LOOP("vdpbf16ps", "zmm");
    else
        LOOP("vpdpbusd", "zmm");
    return 2.0 * OPERATIONS * TURNS * lanes[which] / (cpu_seconds() - start) * 1e-9;
}

/* Loads of whole lines, summed by nobody: the assembly keeps them. */
__attribute__((target("avx512f"))) static void load_wide(const char *x, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 256)
        __asm__ volatile("vmovaps (%0), %%zmm0\n\tvmovaps 64(%0), %%zmm1\n\tvmovaps 128(%0), %%zmm2\n\t"
                         "vmovaps 192(%0), %%zmm3"
                         :
                         : "r"(x + i)
                         : "xmm0", "xmm1", "xmm2", "xmm3", "memory");
}

__attribute__((target("avx2"))) static void load(const char *x, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 128)
        __asm__ volatile("vmovaps (%0), %%ymm0\n\tvmovaps 32(%0), %%ymm1\n\tvmovaps 64(%0), %%ymm2\n\t"
                         "vmovaps 96(%0), %%ymm3"
                         :
                         : "r"(x + i)
                         : "xmm0", "xmm1", "xmm2", "xmm3", "memory");
}

static double read_rate(const char *x, size_t bytes, int wide) {
    size_t passes = ((size_t)64 << 20) / bytes ? ((size_t)64 << 20) / bytes : 1;
    (wide ? load_wide : load)(x, bytes);
    double start = cpu_seconds();
    for (size_t pass = 0; pass < passes; pass++)
        (wide ? load_wide : load)(x, bytes);
    return (double)passes * (double)bytes / (cpu_seconds() - start) * 1e-9;
}

int main(int argc, char **argv) {
    static const size_t sets[] = {16 << 10, 256 << 10, 4 << 20, 256 << 20};
    int repetitions = argc > 1 ? atoi(argv[1]) : 10, wide = !!__builtin_cpu_supports("avx512f");
    char *x = aligned_alloc(4096, sets[3]);
    double best[PEAKS] = {0}, read[4] = {0};
    for (size_t i = 0; x && i < sets[3]; i++)
        x[i] = (char)i;
    for (int i = 0; x && i < repetitions; i++) {
        for (int w = 0; w < PEAKS; w++) {
            double rate = has(w) ? peak(w) : 0;
            best[w] = rate > best[w] ? rate : best[w];
        }
        for (int s = 0; s < 4; s++) {
            double rate = read_rate(x, sets[s], wide);
            read[s] = rate > read[s] ? rate : read[s];
        }
    }
    for (int w = 0; w < PEAKS; w++)
        if (has(w))
            printf("peak_%s %.2f\n", peaks[w], best[w]);
    for (int s = 0; s < 4; s++)
        printf("read_%zu %.2f\n", sets[s], read[s]);
    return !x;
}
