#include "attn/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *const attn_isa_names[] = {"base", "avx2", "avx512", NULL};

static attn_isa in_use;
static int is_set;
static _Thread_local attn_isa limit = ATTN_ISA_AVX512;

#if defined(__x86_64__)
/* clang 14 has no name for it in __builtin_cpu_supports. */
static bool has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

attn_isa attn_cpu_detected(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
        return ATTN_ISA_BASE;
    bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return has_avx512 ? ATTN_ISA_AVX512 : ATTN_ISA_AVX2;
#else
    return ATTN_ISA_BASE;
#endif
}

attn_isa attn_cpu_isa(void) {
    if (!is_set) {
        attn_isa isa = attn_cpu_detected();
        const char *mask = getenv("ATTN_CPU");
        for (attn_isa i = ATTN_ISA_BASE; mask && i < isa; i++)
            if (!strcmp(mask, attn_isa_names[i]))
                isa = i;
        in_use = isa;
        is_set = 1;
    }
    return in_use < limit ? in_use : limit;
}

int attn_cpu_use(attn_isa isa) {
    if (isa > attn_cpu_detected())
        return -1;
    in_use = isa;
    is_set = 1;
    return 0;
}

attn_isa attn_cpu_limit(attn_isa isa) {
    attn_isa before = limit;
    limit = isa;
    return before;
}

int attn_cpu_has(attn_isa isa, attn_error *error) {
    const char *wanted = attn_isa_names[isa], *used = attn_isa_names[attn_cpu_isa()];
    if (isa <= attn_cpu_isa())
        return 0;
    if (isa <= attn_cpu_detected())
        return attn_fail_as(error, ATTN_ERROR_UNSUPPORTED, "%s is left out by ATTN_CPU=%s", wanted, used);
    return attn_fail_as(error, ATTN_ERROR_UNSUPPORTED, "this CPU lacks %s, its kernels use %s", wanted, used);
}

int attn_cpu_check(attn_error *error) {
    const char *mask = getenv("ATTN_CPU");
    if (!mask || !*mask)
        return 0;
    for (size_t i = 0; attn_isa_names[i]; i++)
        if (!strcmp(mask, attn_isa_names[i]))
            return 0;
    return attn_fail(error, "ATTN_CPU=%s: expected one of base, avx2, avx512, or not to be set", mask);
}
