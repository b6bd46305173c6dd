#include "base/statistics/disturbed.h"

#include <math.h>

static const double LOST_LIMIT = 0.01;

double lost_share(double passed, double ran) {
    return fmax(0, 1 - ran / passed);
}

/* An involuntary switch by itself says little: a long sample always has some. */
bool is_disturbed(double passed, double ran, double major_faults) {
    return major_faults > 0 || lost_share(passed, ran) > LOST_LIMIT;
}
