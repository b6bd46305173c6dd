/* What the instruction sets of four lanes share, in plain C: see vec.h. */
#define VL 4
typedef float vec __attribute__((vector_size(16)));
typedef float vec_anywhere __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(16)));
typedef uint32_t uvec __attribute__((vector_size(16)));

#define SHUFFLE(a, b, F, s) __builtin_shufflevector(a, b, F(0, s), F(1, s), F(2, s), F(3, s))

static inline vec load_part(const float *p, size_t n) {
    float lanes[VL] = {0};
    memcpy(lanes, p, n * sizeof *p);
    return *(const vec_anywhere *)lanes;
}
static inline void store_part(float *p, vec x, size_t n) {
    for (size_t i = 0; i < n; i++)
        p[i] = x[i];
}
static inline vec zero_below(vec x, vec low, vec y) {
    return (vec)((ivec)y & ~(ivec)(x < low));
}
static inline vec widen_bf16(const uint16_t *p) {
    return (vec)((uvec){p[0], p[1], p[2], p[3]} << 16);
}
static inline vec widen_i8(const int8_t *p) {
    return (vec){p[0], p[1], p[2], p[3]};
}
