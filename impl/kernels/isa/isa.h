/* Names of what is compiled once per instruction set: ISA_NAME(f) is f_base, f_avx2 or f_avx512. */
#ifndef IMPL_KERNELS_ISA_ISA_H
#define IMPL_KERNELS_ISA_ISA_H

#define ISA_PASTE(name, isa) name##_##isa
#define ISA_EXPAND(name, isa) ISA_PASTE(name, isa)
#define ISA_NAME(name) ISA_EXPAND(name, ATTN_ISA)

/* Declares TYPE NAME_base, ... and defines TYPE const *PICK(void), which returns the one for
 * attn_cpu_isa(). */
#if defined(__x86_64__)
#define ISA_DISPATCH(type, name)                                                                             \
    extern const type name##_base, name##_avx2, name##_avx512;                                               \
    const type *name(void) {                                                                                 \
        static const type *const by_isa[] = {&name##_base, &name##_avx2, &name##_avx512};                    \
        return by_isa[attn_cpu_isa()];                                                                       \
    }
#else
#define ISA_DISPATCH(type, name)                                                                             \
    extern const type name##_base;                                                                           \
    const type *name(void) {                                                                                 \
        return &name##_base;                                                                                 \
    }
#endif

#endif
