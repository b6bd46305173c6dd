/* AVX-512 (F, BW, DQ, VL): see vec.h. */
#include <immintrin.h>

#define VL 16
#define TOGETHER 8
enum { SUMS = 16, MIXED = 16, TALL = 16 };
typedef float vec __attribute__((vector_size(64)));
typedef float vec_anywhere __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(64)));

#define SHUFFLE(a, b, F, s)                                                                                  \
    __builtin_shufflevector(a, b, F(0, s), F(1, s), F(2, s), F(3, s), F(4, s), F(5, s), F(6, s), F(7, s),    \
                            F(8, s), F(9, s), F(10, s), F(11, s), F(12, s), F(13, s), F(14, s), F(15, s))

static inline __mmask16 first_lanes(size_t n) {
    return (__mmask16)((1u << n) - 1);
}
static inline vec load_part(const float *p, size_t n) {
    return (vec)_mm512_maskz_loadu_ps(first_lanes(n), p);
}
static inline void store_part(float *p, vec x, size_t n) {
    _mm512_mask_storeu_ps(p, first_lanes(n), (__m512)x);
}
static inline vec larger(vec a, vec b) {
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
}
static inline vec zero_below(vec x, vec low, vec y) {
    return (vec)_mm512_maskz_mov_ps(_mm512_cmp_ps_mask((__m512)x, (__m512)low, _CMP_NLT_UQ), (__m512)y);
}
static inline vec widen_f16(const uint16_t *p) {
    return (vec)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
static inline vec widen_bf16(const uint16_t *p) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return (vec)_mm512_slli_epi32(wide, 16);
}
static inline vec widen_i8(const int8_t *p) {
    return (vec)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
static inline float half_to_float(uint16_t half) {
    return _cvtsh_ss(half);
}
