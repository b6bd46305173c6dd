#include "base/statistics/disturbed.h"

static const double LOST_LIMIT = 0.01;

double lost_share(double passed, double ran) {
    double lost = 1 - ran / passed;
    return lost < 0 ? 0 : lost;
}

/* An involuntary switch by itself says little: a long sample always has some. */
bool is_disturbed(double passed, double ran, double major_faults) {
    return major_faults > 0 || lost_share(passed, ran) > LOST_LIMIT;
}
