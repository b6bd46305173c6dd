/* CPU features, found once; ATTN_CPU=base|avx2|avx512 in the environment lowers what is used (never raises
 * it). */
#ifndef ATTN_CPU_H
#define ATTN_CPU_H

typedef enum attn_isa { ATTN_ISA_BASE, ATTN_ISA_AVX2, ATTN_ISA_AVX512 } attn_isa;
extern const char *const attn_isa_names[]; /* "base", "avx2", "avx512", NULL */

attn_isa attn_cpu_isa(void);      /* what kernels use: detected, then masked */
attn_isa attn_cpu_detected(void); /* what the CPU and the kernel of the system offer */
/* Tests: uses `isa` from now on when the CPU has it. Returns 0, or -1 (nothing changed) when it has not. */
int attn_cpu_use(attn_isa isa);

#endif
