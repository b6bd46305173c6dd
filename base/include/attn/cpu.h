/* CPU features, found once; ATTN_CPU=base|avx2|avx512 in the environment lowers what our kernels use (never
 * raises it). */
#ifndef ATTN_CPU_H
#define ATTN_CPU_H

#include "attn/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum attn_isa { ATTN_ISA_BASE, ATTN_ISA_AVX2, ATTN_ISA_AVX512 } attn_isa;
extern const char *const attn_isa_names[]; /* "base", "avx2", "avx512", NULL */

attn_isa attn_cpu_isa(void);      /* what kernels use: detected, then masked, then this thread's limit */
attn_isa attn_cpu_detected(void); /* what the CPU and the kernel of the system offer */
/* Tests: uses `isa` from now on when the CPU has it. Returns 0, or -1 (nothing changed) when the CPU lacks it. */
int attn_cpu_use(attn_isa isa);

/* From now on kernels on this thread use `isa` at most. Returns the limit before, for putting it back. */
attn_isa attn_cpu_limit(attn_isa isa);
/* 0 when kernels can use `isa`; otherwise an error saying that the CPU lacks it, or ATTN_CPU left it
 * out. */
int attn_cpu_has(attn_isa isa, attn_error *error);
/* 0 when ATTN_CPU is not set or names an instruction set; others are ignored by all of the above. */
int attn_cpu_check(attn_error *error);

#ifdef __cplusplus
}
#endif
#endif
