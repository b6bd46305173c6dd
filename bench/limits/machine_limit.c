#include "bench/limits/machine_limit.h"

#include <math.h>

enum { LEAST_MOVED = 4 << 20, LEAST_NEXT_TO_OTHERS = 32 << 20 };

double machine_worse(double a, double b) {
    return isnan(a) || a >= b ? a : b;
}

size_t machine_passes(size_t bytes, size_t threads) {
    size_t least = threads > 1 ? LEAST_NEXT_TO_OTHERS : LEAST_MOVED;
    return bytes < least ? least / bytes : 1;
}
