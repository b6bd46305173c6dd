/* The exponential of the softmax, for vectors. */
#ifndef KERNELS_ISA_EXP_VEC_H
#define KERNELS_ISA_EXP_VEC_H

#include "impl/kernels/isa/vec.h"

/* exp(x) for x <= 0 (and up to 88), to 2 ulp; 0 where the result is below the least normal float, 1.2e-38
 * (subnormals are slow, and such a weight is nothing next to the largest, 1). A NaN comes out as NaN.
 * Range reduction x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite: ln 2 in two parts); then the
 * polynomial of degree 6 with the least relative error, 3.1e-9, among those that begin with 1 + r. */
INLINE vec exp_vec(vec x) {
    const vec round =
        broadcast(12582912.0f); /* 1.5 2^23: adding it leaves the nearest integer in the low bits */
    vec t = x * 1.44269504f + round, n = t - round;
    vec r = x - n * 0.693359375f + n * 2.12194440e-4f;
    vec p = broadcast(1.38145406e-3f);
    p = p * r + 8.36874545e-3f;
    p = p * r + 4.16683890e-2f;
    p = p * r + 1.66665211e-1f;
    p = p * r + 0.49999994f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    vec power = (vec)(((ivec)t + 127) << 23);
    return zero_below(x, broadcast(-87.3365402f), p * power);
}

/* 2^x for x <= 0 (and up to 127), to 2 ulp; else as exp_vec. 2^x = 2^n 2^r with |r| <= 1/2, which needs no product with
 * ln 2: the polynomial is that of degree 6 with the least relative error, 2.0e-9, among those that begin with 1. */
INLINE vec exp2_vec(vec x) {
    const vec round = broadcast(12582912.0f);
    vec t = x + round, r = x - (t - round);
    vec p = broadcast(1.535336206e-4f);
    p = p * r + 1.339887459e-3f;
    p = p * r + 9.618437359e-3f;
    p = p * r + 5.550332471e-2f;
    p = p * r + 2.402264791e-1f;
    p = p * r + 6.931472029e-1f;
    p = p * r + 1.0f;
    vec power = (vec)(((ivec)t + 127) << 23);
    return zero_below(x, broadcast(-126.0f), p * power);
}

#endif
