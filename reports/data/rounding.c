#include "reports/data/rounding.h"

#include <math.h>

json_t *exact_count(double value) {
    return value == floor(value) && fabs(value) < 1e15 ? json_integer((json_int_t)value) : four_digits(value);
}

json_t *four_digits(double value) {
    if (!isfinite(value))
        return json_null();
    if (value == 0)
        return json_real(0);
    double unit = pow(10, floor(log10(fabs(value))) - 3);
    return json_real(unit >= 1 ? round(value / unit) * unit : round(value / unit) / round(1 / unit));
}
