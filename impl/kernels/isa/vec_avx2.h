/* AVX2, FMA and F16C: see vec.h. */
#include <immintrin.h>

#define VL 8
#define TOGETHER 4
enum { SUMS = 8, MIXED = 8, TALL = 4 };
typedef float vec __attribute__((vector_size(32)));
typedef float vec_anywhere __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(32)));

#define SHUFFLE(a, b, F, s)                                                                                  \
    __builtin_shufflevector(a, b, F(0, s), F(1, s), F(2, s), F(3, s), F(4, s), F(5, s), F(6, s), F(7, s))

static inline __m256i first_lanes(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vec load_part(const float *p, size_t n) {
    return (vec)_mm256_maskload_ps(p, first_lanes(n));
}
static inline void store_part(float *p, vec x, size_t n) {
    _mm256_maskstore_ps(p, first_lanes(n), (__m256)x);
}
static inline vec larger(vec a, vec b) {
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
}
static inline vec zero_below(vec x, vec low, vec y) {
    return (vec)_mm256_and_ps(_mm256_cmp_ps((__m256)x, (__m256)low, _CMP_NLT_UQ), (__m256)y);
}
static inline vec widen_f16(const uint16_t *p) {
    return (vec)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
static inline vec widen_bf16(const uint16_t *p) {
    return (vec)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16);
}
static inline vec widen_i8(const int8_t *p) {
    return (vec)_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
static inline float half_to_float(uint16_t half) {
    return _cvtsh_ss(half);
}
